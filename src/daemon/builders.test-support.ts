import type { JailConfig } from "../config/config.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { HOUR, MINUTE } from "../core/time.ts";
import { IgnoreList } from "../jail/ignore.ts";
import { Jail } from "../jail/jail.ts";
import type { RunningJail } from "./pipeline.ts";

/** A jail for tests: five failures in ten minutes, an hour's ban, and whatever is said otherwise. */
export function runningJail(options: Partial<JailConfig> = {}): RunningJail {
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
    bantime: HOUR,
    target: "default",
    ipv4Prefix: 32,
    ipv6Prefix: 128,
    addresses: 1000,
    ignoreip: [],
    ignoreSelf: false,
    usedns: false,
    onGood: "forget",
    ...options,
  };
  return { config, jail: new Jail(config, new IgnoreList([new PrefixSet(config.ignoreip)], null)) };
}
