import { describe, expect, it } from "vitest";
import type { ReloadAnswer } from "../api/wire.ts";
import { SingleReload } from "./single-reload.ts";

describe("SingleReload", () => {
  it("is awaited at the end, and refuses calls after it and those that wait", async () => {
    const single = new SingleReload();
    const done: string[] = [];
    let finish: (answer: ReloadAnswer) => void = () => undefined;
    const reload = (): Promise<ReloadAnswer> => {
      done.push("reload");
      return new Promise((resolve) => (finish = resolve));
    };
    const first = single.run(reload);
    const waiting = single.run(reload);
    const end = single.end().then(() => done.push("end"));
    const stopping = { reloaded: false, sentences: ["Cannot reload: the daemon is stopping"] };
    expect(await single.run(reload)).toEqual(stopping);
    done.push("finish");
    finish({ reloaded: true, sentences: [] });
    await end;
    expect(await waiting).toEqual(stopping);
    expect(done).toEqual(["reload", "finish", "end"]);
    expect(await first).toMatchObject({ reloaded: true });
  });

  it("reloads once more for the calls during a reload, which may have read the files already", async () => {
    const single = new SingleReload();
    let file = "first";
    const reload = async (): Promise<ReloadAnswer> => {
      const read = file;
      await Promise.resolve();
      return { reloaded: true, sentences: [read] };
    };
    const first = single.run(reload);
    file = "second";
    const second = single.run(reload);
    expect(single.run(reload)).toBe(second);
    expect((await first).sentences).toEqual(["first"]);
    expect((await second).sentences).toEqual(["second"]);
    await single.end();
  });

  it("runs changes one after the other, and none during a reload", async () => {
    const single = new SingleReload();
    const done: string[] = [];
    const step = (name: string) => async (): Promise<ReloadAnswer> => {
      done.push(`${name} begins`);
      await Promise.resolve();
      done.push(`${name} ends`);
      return { reloaded: true, sentences: [] };
    };
    await Promise.all([
      single.run(step("reload")),
      single.apart(step("first")),
      single.apart(step("second")),
      single.run(step("again")),
    ]);
    expect(done.filter((_, i) => i % 2 === 0).map((begin) => begin.replace("begins", "ends"))).toEqual(
      done.filter((_, i) => i % 2 === 1),
    );
    expect(done).toHaveLength(8);
    await single.end();
    await expect(single.apart(step("late"))).rejects.toThrow("the daemon is stopping");
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
