import { type Address, parseAddress } from "../core/address.ts";
import type { Decision } from "../core/decision.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { parsePrefix } from "../core/prefix.ts";
import { DAY, HOUR, MINUTE } from "../core/time.ts";
import { IgnoreList, OwnAddresses } from "./ignore.ts";
import { Jail, type JailShares } from "./jail.ts";
import type { JailOptions, Step } from "./options.ts";

export const START = Date.UTC(2026, 10, 20);
export const ATTACKER = "203.0.113.9";

export const a = (text: string): Address => parseAddress(text)!;

/** A jail for tests: three failures in ten minutes, a ban of one hour; `options` override. */
export function jailWith(
  {
    bantime = HOUR,
    target = "default",
    ...options
  }: Partial<JailOptions & Pick<Step, "bantime" | "target">> = {},
  lists: { ignoreip?: string[]; own?: string[] } = {},
  shares: JailShares = {},
): Jail {
  const prefixes = (texts: string[] = []) => texts.map((text) => parsePrefix(text)!);
  return new Jail(
    {
      name: "sshd",
      maxretry: 3,
      findtime: 10 * MINUTE,
      steps: [{ maxretry: options.maxretry ?? 3, times: 1, target, bantime }],
      growth: null,
      memory: DAY,
      ipv4Prefix: 32,
      ipv6Prefix: 128,
      addresses: 1000,
      ...options,
    },
    new IgnoreList([new PrefixSet(prefixes(lists.ignoreip))], new OwnAddresses(prefixes(lists.own))),
    shares,
  );
}

export const reasonOf = (decision: Decision): string =>
  decision.kind === "counted" ? `counted ${decision.seen} of ${decision.needed}` : decision.reason;
