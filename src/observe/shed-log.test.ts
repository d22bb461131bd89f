import { describe, expect, it } from "vitest";
import { SECOND } from "../core/time.ts";
import { type Losses, lossOf, ShedLog } from "./shed-log.ts";

const auth = (losses: Partial<Losses>): Losses[] => [
  { name: "auth", leaps: 0, laterBytes: 0, shed: 0, cut: 0, shedBytes: 0, lostFiles: 0, ...losses },
];

describe("ShedLog", () => {
  it("is silent while nothing is lost", () => {
    const log = new ShedLog();
    expect([log.tick(0, auth({})), log.tick(SECOND, auth({ laterBytes: 100 }))]).toEqual([[], []]);
  });

  it("reports what was left for later and what was dropped", () => {
    const log = new ShedLog();
    expect(log.tick(0, auth({ leaps: 2, laterBytes: 64 << 20, shed: 1, shedBytes: 2048 }))).toEqual([
      "Source auth: input arrives faster than it can be read: newest first (2 times), 64.0 MiB left for later; dropped 1 line and 2.0 KiB unseen",
    ]);
  });

  it("does not call the ends of long lines dropped lines", () => {
    expect(new ShedLog().tick(0, auth({ cut: 2, shedBytes: 1686 }))).toEqual([
      "Source auth: cut 2 long lines (1.6 KiB unseen)",
    ]);
    expect(lossOf({ shed: 0, cut: 0, shedBytes: 0, leaps: 3 }, "line")).toBe(null);
  });

  it("reports rotated files that are lost, once", () => {
    const log = new ShedLog();
    expect(log.tick(0, auth({ lostFiles: 1 }))).toEqual(["Source auth: lost unread lines of 1 rotated file"]);
    expect(log.tick(20 * SECOND, auth({ lostFiles: 1 }))).toEqual([]);
  });

  it("says packets where packets were dropped", () => {
    expect(new ShedLog().tick(0, auth({ shed: 2000, unit: "packet" }))).toEqual([
      "Source auth: dropped 2,000 packets unseen",
    ]);
  });

  it("reports once in ten seconds with what was dropped since, and at once for another source", () => {
    const log = new ShedLog();
    log.tick(0, auth({ shed: 5 }));
    const said = [1, 5, 9, 10, 25].flatMap((second) => log.tick(second * SECOND, auth({ shed: 5 + second })));
    expect(said).toEqual(["Source auth: dropped 10 lines unseen", "Source auth: dropped 15 lines unseen"]);
    expect(log.tick(25.5 * SECOND, [{ ...auth({ shed: 1 })[0]!, name: "web" }])).toEqual([
      "Source web: dropped 1 line unseen",
    ]);
  });

  it("counts from 0 for a source that was replaced", () => {
    const log = new ShedLog();
    log.tick(0, auth({ shed: 5 }));
    expect(log.tick(60 * SECOND, auth({ shed: 2 }))).toEqual(["Source auth: dropped 2 lines unseen"]);
  });
});
