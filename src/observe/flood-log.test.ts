import { describe, expect, it } from "vitest";
import { type Instant, SECOND } from "../core/time.ts";
import { FloodLog, type SourceCounts } from "./flood-log.ts";

const START: Instant = Date.UTC(2026, 10, 20);

/** A log whose jail meets so many failures in each second; of each four, three are of banned addresses. */
function said(perSecond: readonly number[], sources: readonly SourceCounts[] = []): (string | null)[] {
  const log = new FloodLog();
  let failures = 1_000_000;
  const tick = (second: number) =>
    log.tick(
      START + second * SECOND + (second % 3) * 4, // no timer is exact
      [
        { name: "sshd", failures, alreadyBanned: (failures * 3) / 4, bans: failures / 100 },
        { name: "nginx", failures: 7, alreadyBanned: 0, bans: 0 },
      ],
      sources,
    );
  tick(0);
  return perSecond.map((count, i) => {
    failures += count;
    return tick(i + 1);
  });
}

const FLOOD = "sshd met 4,000 failures (3,000 of banned addresses) and banned 40";

describe("FloodLog", () => {
  it("is silent on a quiet day", () => {
    expect(said(Array<number>(50).fill(90))).toEqual(Array<null>(50).fill(null));
  });

  it("logs a sentence a second, then one every ten, and one at the end", () => {
    const lines = said([...Array<number>(31).fill(4000), ...Array<number>(8).fill(0)]);
    expect(lines.slice(0, 10)).toEqual(Array<string>(10).fill(`Flood: ${FLOOD} in 1s`));
    const ten = "Flood: sshd met 40,000 failures (30,000 of banned addresses) and banned 400 in 10s";
    expect(lines.map((line, i) => (line === ten ? i + 1 : 0)).filter((second) => second > 0)).toEqual([
      20, 30,
    ]);
    expect(lines.slice(31).filter((line) => line !== null)).toEqual([
      "The flood is over after 31s: sshd met 124,000 failures (93,000 of banned addresses) and banned 1,240",
    ]);
    expect(lines.filter((line) => line !== null)).toHaveLength(13);
  });

  it("counts a pause of some seconds as the same flood", () => {
    const lines = said([4000, 0, 0, 4000, 0, 0, 0, 0, 0]);
    expect(lines.map((line) => line?.slice(0, 12) ?? "")).toEqual([
      "Flood: sshd ",
      "",
      "",
      "Flood: sshd ",
      "",
      "",
      "",
      "",
      "The flood is",
    ]);
  });

  it("reports how far behind the sources are", () => {
    const sources = [
      { lag: null, later: 3 << 20 },
      { lag: 7 * SECOND, later: 1 << 20 },
    ];
    expect(said([4000], sources)).toEqual([`Flood: ${FLOOD} in 1s; 7s behind, 4.0 MiB left for later`]);
  });

  it("names the busiest jails and counts the rest", () => {
    const log = new FloodLog();
    const jails = (failures: number) =>
      ["a", "b", "c", "d", "e"].map((name, i) => ({
        name,
        failures: failures * i,
        alreadyBanned: 0,
        bans: 0,
      }));
    log.tick(START, jails(0), []);
    const none = "failures (0 of banned addresses) and banned 0";
    expect(log.tick(START + SECOND, jails(100), [])).toBe(
      `Flood: e met 400 ${none}, d met 300 ${none}, c met 200 ${none}, 1 more jail in 1s`,
    );
  });

  it("starts over when the clock is set back", () => {
    const log = new FloodLog();
    const jail = (failures: number) => [{ name: "a", failures, alreadyBanned: 0, bans: 0 }];
    log.tick(START, jail(0), []);
    expect(log.tick(START + SECOND, jail(1000), [])).not.toBeNull();
    expect(log.tick(START - 3600 * SECOND, jail(2000), [])).toBeNull();
    expect(log.tick(START - 3599 * SECOND, jail(3000), [])).not.toBeNull();
  });
});
