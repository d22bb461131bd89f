import type { JailConfig } from "../config/config.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { HOUR, MINUTE } from "../core/time.ts";
import { runningJail as running } from "./build-jails.ts";
import { IgnoreList } from "../jail/ignore.ts";
import { Jail } from "../jail/jail.ts";
import type { Step } from "../jail/options.ts";
import type { RunningJail } from "./pipeline.ts";

/** A jail for tests: five failures in ten minutes, an hour's ban, and whatever is said otherwise. */
export function runningJail({
  target = "default",
  bantime = HOUR,
  ...options
}: Partial<JailConfig & Pick<Step, "target" | "bantime">> = {}): RunningJail {
  const config: JailConfig = {
    name: "test",
    sources: ["log"],
    filter: {
      name: "test",
      failregex: ["^\\S+ \\S+ fail <HOST>$"],
      ignoreregex: [],
      goodregex: ["^\\S+ \\S+ good <HOST>$"],
    },
    maxretry: 5,
    findtime: 10 * MINUTE,
    steps: [{ maxretry: options.maxretry ?? 5, times: 1, target, bantime }],
    growth: null,
    memory: HOUR,
    ipv4Prefix: 32,
    ipv6Prefix: 128,
    addresses: 1000,
    ignoreip: [],
    ignoreSelf: false,
    usedns: false,
    onGood: "forget",
    trustFor: 0,
    countWith: null,
    ...options,
  };
  return running(config, new Jail(config, new IgnoreList([new PrefixSet(config.ignoreip)], null)));
}
