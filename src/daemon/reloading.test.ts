import { describe, expect, it } from "vitest";
import type { ReloadAnswer } from "../api/wire.ts";
import { Reloading } from "./reloading.ts";

describe("Reloading", () => {
  it("goes through once for all who ask meanwhile, is waited for at the end, and never begins after it", async () => {
    const reloading = new Reloading();
    const done: string[] = [];
    let finish: (answer: ReloadAnswer) => void = () => undefined;
    const reload = (): Promise<ReloadAnswer> => {
      done.push("reload");
      return new Promise((resolve) => (finish = resolve));
    };
    const first = reloading.run(reload);
    expect(reloading.run(reload)).toBe(first);
    const end = reloading.end().then(() => done.push("end"));
    expect(await reloading.run(reload)).toEqual({
      reloaded: false,
      sentences: ["Cannot reload: the daemon stops"],
    });
    done.push("finish");
    finish({ reloaded: true, sentences: [] });
    await end;
    expect(done).toEqual(["reload", "finish", "end"]);
    expect(await first).toMatchObject({ reloaded: true });
  });

  it("is over also when it failed", async () => {
    const reloading = new Reloading();
    const failed = reloading.run(() => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(await reloading.run(() => Promise.resolve({ reloaded: true, sentences: [] }))).toMatchObject({
      reloaded: true,
    });
    await reloading.end();
  });
});
