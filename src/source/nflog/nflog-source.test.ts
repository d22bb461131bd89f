import { describe, expect, it } from "vitest";
import { NflogSource } from "./nflog-source.ts";

describe("NflogSource", () => {
  it("resolves when it is aborted during its start", async () => {
    const source = new NflogSource("syn", { type: "nflog", group: 65_535 });
    const abort = new AbortController();
    const done = source.run(() => undefined, abort.signal);
    abort.abort();
    await done;
    expect(source.stats.state).toBe("stopped");
  });
});
