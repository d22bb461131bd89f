import { describe, expect, it } from "vitest";
import type { ReloadAnswer } from "../api/wire.ts";
import { SingleReload } from "./single-reload.ts";

describe("SingleReload", () => {
  it("answers concurrent calls with one reload, is awaited at the end, and refuses calls after it", async () => {
    const single = new SingleReload();
    const done: string[] = [];
    let finish: (answer: ReloadAnswer) => void = () => undefined;
    const reload = (): Promise<ReloadAnswer> => {
      done.push("reload");
      return new Promise((resolve) => (finish = resolve));
    };
    const first = single.run(reload);
    expect(single.run(reload)).toBe(first);
    const end = single.end().then(() => done.push("end"));
    expect(await single.run(reload)).toEqual({
      reloaded: false,
      sentences: ["Cannot reload: the daemon is stopping"],
    });
    done.push("finish");
    finish({ reloaded: true, sentences: [] });
    await end;
    expect(done).toEqual(["reload", "finish", "end"]);
    expect(await first).toMatchObject({ reloaded: true });
  });

  it("allows another reload after one that failed", async () => {
    const single = new SingleReload();
    const failed = single.run(() => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(await single.run(() => Promise.resolve({ reloaded: true, sentences: [] }))).toMatchObject({
      reloaded: true,
    });
    await single.end();
  });
});
