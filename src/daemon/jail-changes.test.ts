import { describe, expect, it } from "vitest";
import { plainJail } from "../config/jails.ts";
import type { Config, JailConfig } from "../config/config.ts";
import { LIMITS } from "../core/limits.ts";
import { parsePrefix } from "../core/prefix.ts";
import { FOREVER, HOUR, MINUTE, SECOND } from "../core/time.ts";
import { changedConfig, type JailChanges, withChange } from "./jail-changes.ts";

const FILTER = { name: "x", failregex: ["^fail <HOST>$"], ignoreregex: [], goodregex: [] };
const prefix = (text: string) => parsePrefix(text)!;
const mild = { maxretry: 2, times: 1, target: "slow", bantime: MINUTE };
const highest = { maxretry: 5, times: 1, target: "default", bantime: HOUR };
const sshd: JailConfig = { ...plainJail("sshd", ["auth"], FILTER), steps: [mild, highest] };
const read = { path: null, jails: [sshd, plainJail("web", ["auth"], FILTER)] } as unknown as Config;
const NONE: JailChanges = new Map();

describe("changes of jails", () => {
  /** The jail sshd after these changes, one after the other. */
  const after = (...changes: Parameters<typeof withChange>[3][]): JailConfig | undefined =>
    changedConfig(
      read,
      changes.reduce((all, change) => withChange(all, read, "sshd", change), NONE),
    ).jails.find(({ name }) => name === "sshd");

  it("add up, and leave other jails and the configuration itself as they are", () => {
    const jail = after({ bantime: FOREVER }, { findtime: MINUTE }, { ignoreSelf: false });
    expect(jail).toMatchObject({ findtime: MINUTE, ignoreSelf: false });
    expect(jail?.steps).toEqual([mild, { ...highest, bantime: FOREVER }]);
    expect(changedConfig(read, NONE)).toBe(read);
    expect(sshd.steps).toEqual([mild, highest]);
  });

  it("move the highest step, and drop milder ones that it overtakes", () => {
    expect(after({ maxretry: 7 })).toMatchObject({ maxretry: 7, steps: [mild, { ...highest, maxretry: 7 }] });
    expect(after({ maxretry: 2 })).toMatchObject({ maxretry: 2, steps: [{ ...highest, maxretry: 2 }] });
  });

  it("stop and start a jail", () => {
    expect(after({ isStopped: true })).toBe(undefined);
    expect(after({ bantime: MINUTE }, { isStopped: true }, { isStopped: false })?.steps.at(-1)?.bantime).toBe(
      MINUTE,
    );
  });

  it("add entries to ignoreip and remove them", () => {
    expect(
      after({ ignore: [prefix("192.0.2.0/24")] }, { ignore: [prefix("192.0.2.0/24")] })?.ignoreip,
    ).toEqual([prefix("192.0.2.0/24")]);
    expect(after({ ignore: [prefix("::1")] }, { unignore: prefix("::1") })?.ignoreip).toEqual([]);
    expect(() => after({ unignore: prefix("::1") })).toThrow("Cannot remove ::1 from ignoreip of sshd");
  });

  it("refuse what the configuration would refuse", () => {
    expect(() => after({ maxretry: 0 })).toThrow("Cannot set maxretry of sshd: 0 is not between 1 and 65535");
    expect(() => after({ findtime: FOREVER })).toThrow(/^Cannot set findtime/);
    expect(() => after({ bantime: SECOND / 2 })).toThrow(/^Cannot set bantime/);
    expect(() => withChange(NONE, read, "x", {})).toThrow("there is no jail x");
    const kernel = { ...read, jails: [{ ...sshd, offload: { opening: false, connlimit: null } }] };
    expect(() => withChange(NONE, kernel, "sshd", { maxretry: 3 })).toThrow("the kernel counts for it");
  });

  it("refuse an ignoreip without end [limit: jailIgnored]", () => {
    const ignore = Array.from({ length: LIMITS.jailIgnored.value + 1 }, (_, i) =>
      prefix(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
    );
    expect(() => after({ ignore })).toThrow("it would have more than 10000 entries");
  });
});
