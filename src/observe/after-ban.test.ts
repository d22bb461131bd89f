import { describe, expect, it } from "vitest";
import { MINUTE, SECOND } from "../core/time.ts";
import { AfterBanWatch } from "./after-ban.ts";

const sshd = (afterBan: number) => [{ name: "sshd", afterBan }];
const sentence = (count: string) =>
  `sshd: ${count} lines from banned addresses in the last minutes, more than 5 s after their ban: does the ban hold? (another port, a proxy, a container)`;

describe("AfterBanWatch", () => {
  it("ignores a few", () => {
    const watch = new AfterBanWatch();
    expect([watch.tick(0, sshd(0)), watch.tick(SECOND, sshd(19)), watch.warnings()]).toEqual([
      null,
      null,
      [],
    ]);
  });

  it("reports many, once a minute, and warns while they are recent", () => {
    const watch = new AfterBanWatch();
    watch.tick(0, sshd(100));
    expect(watch.tick(SECOND, sshd(1334))).toBe(sentence("1,234"));
    expect(watch.tick(2 * SECOND, sshd(5000))).toBeNull();
    expect(watch.tick(61 * SECOND, sshd(5100))).toBe(sentence("5,000"));
    expect(watch.tick(122 * SECOND, sshd(5100))).toBeNull();
    expect(watch.warnings()).toEqual([sentence("5,000")]);
    watch.tick(5 * MINUTE, sshd(5100));
    expect(watch.warnings()).toEqual([sentence("5,000")]);
    watch.tick(10 * MINUTE, sshd(5100));
    expect(watch.warnings()).toEqual([]);
  });

  it("forgets a jail that is gone, and one whose counters start again", () => {
    const watch = new AfterBanWatch();
    watch.tick(0, sshd(0));
    watch.tick(SECOND, sshd(50));
    expect(watch.warnings()).toHaveLength(1);
    watch.tick(2 * SECOND, sshd(0));
    expect(watch.warnings()).toEqual([]);
    watch.tick(3 * SECOND, sshd(50));
    watch.tick(4 * SECOND, []);
    expect(watch.warnings()).toEqual([]);
  });
});
