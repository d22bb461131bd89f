import { fnv1a } from "../../core/fnv1a.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { PortRange } from "../enforcer.ts";
import type { IptablesTarget } from "./kind.ts";

/** A ban as a rule of our chain. */
export interface BanRule {
  readonly prefix: Prefix;
  /** In whole seconds; FOREVER for a permanent ban. */
  readonly until: Instant;
}

/**
 * The name of a target's chain, which has one rule for each ban and jumps to it:
 *
 *      -A INPUT -i eth+ -p tcp -m multiport --dports 22,80:90 -m comment --comment stoplog -j stoplog-slow
 *      -A stoplog-slow -s 192.0.2.1/32 -m comment --comment "stoplog:1795132800" -j DROP
 *
 * A chain's name has at most 28 characters (XT_EXTENSION_MAXNAMELEN): a long target name is cut, and a hash of it appended.
 */
export function chainOf(target: string): string {
  if (target.length <= MOST_OF_A_NAME) return `stoplog-${target}`;
  const hash = fnv1a(Buffer.from(target)).toString(16).padStart(8, "0");
  return `stoplog-${target.slice(0, MOST_OF_A_NAME - 9)}-${hash}`;
}

/** The jumps to a target's chain, without the `-A INPUT`: one, or one for each protocol when the target has ports. */
export function jumpsTo({ name, interface: incoming, ports, protocols }: IptablesTarget): readonly string[] {
  const from = incoming === null ? "" : `-i ${incoming} `;
  const to = `-m comment --comment stoplog -j ${chainOf(name)}`;
  return portMatches(ports, protocols).map((match) => `${from}${match}${to}`);
}

/** The matches for these ports, each with a blank at its end; one empty match when there are none. */
export function portMatches(
  ports: IptablesTarget["ports"],
  protocols: IptablesTarget["protocols"],
): readonly string[] {
  if (ports.length === 0) return [""];
  const of = protocols.length === 0 ? (["tcp", "udp"] as const) : protocols;
  return of.flatMap((protocol) =>
    piecesOf(ports).map((piece) => `-p ${protocol} -m multiport --dports ${piece.map(rangeText).join(",")} `),
  );
}

/** A rule of a target's chain, without the `-A CHAIN`. */
export function ruleOf({ prefix, until }: BanRule, { verdict }: Pick<IptablesTarget, "verdict">): string {
  const end = until === FOREVER ? 0 : Math.ceil(until / SECOND);
  const action = verdict.kind === "reject" ? REJECT_CHAIN : "DROP";
  return `-s ${formatPrefix(prefix)} -m comment --comment "stoplog:${end}" -j ${action}`;
}

/** The chain for `verdict: reject` of all targets: a reset for TCP, ICMP for other protocols. */
export const REJECT_CHAIN = "stoplog.reject";

/** Creates that chain, or replaces its rules. */
export const REJECT_LINES: readonly string[] = [
  `:${REJECT_CHAIN} - [0:0]`,
  `-A ${REJECT_CHAIN} -p tcp -j REJECT --reject-with tcp-reset`,
  `-A ${REJECT_CHAIN} -j REJECT`,
];

/** Whether that chain is whole in the output of `iptables-save`, which writes the default of `--reject-with` too. */
export function hasRejectChain(text: string): boolean {
  const rules = text.split("\n").filter((line) => line.startsWith(`-A ${REJECT_CHAIN} `));
  return rules.length === 2 && rules.every((rule, i) => rule.startsWith(REJECT_LINES[i + 1] as string));
}

/** One chain in the output of `iptables-save`. */
export interface SavedChain {
  /** Whether the chain exists. */
  readonly found: boolean;
  /** Rules of other chains that jump to it, as `-A INPUT …`. */
  readonly jumps: readonly string[];
  /** Its bans, in the order of the rules; null for a rule that is not ours. */
  readonly rules: readonly (BanRule | null)[];
}

export function readSaved(text: string, chain: string): SavedChain {
  const lines = text.split("\n");
  const own = `-A ${chain} `;
  return {
    found: lines.some((line) => line.startsWith(`:${chain} `)),
    jumps: lines.filter((line) => line.endsWith(`-j ${chain}`) && !line.startsWith(own)),
    rules: lines.filter((line) => line.startsWith(own)).map((line) => readRule(line.slice(own.length))),
  };
}

/** Chains that an earlier run created: a jump to them has our comment, and so has each of their rules. */
export function ourChains(text: string): readonly string[] {
  const names = text.split("\n").flatMap((line) => /^:(stoplog-\S+) /.exec(line)?.[1] ?? []);
  return names.filter((name) => {
    const { jumps, rules } = readSaved(text, name);
    return jumps.some((jump) => jump.includes(" --comment stoplog ")) && rules.every((rule) => rule !== null);
  });
}

const MOST_OF_A_NAME = 20;

/** The match `multiport` takes at most fifteen ports; a range counts as two. */
export function piecesOf(ports: readonly PortRange[]): readonly (readonly PortRange[])[] {
  const pieces: PortRange[][] = [];
  let room = 0;
  for (const range of ports) {
    const takes = range.first === range.last ? 1 : 2;
    if (room < takes) {
      pieces.push([]);
      room = 15;
    }
    pieces.at(-1)?.push(range);
    room -= takes;
  }
  return pieces;
}

function rangeText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}:${last}`;
}

function readRule(rule: string): BanRule | null {
  const [, source, end] =
    /^(?:-s (\S+) )?-m comment --comment "?stoplog:(\d{1,15})"? -j (?:DROP|stoplog\.reject)$/.exec(rule) ??
    [];
  if (end === undefined) return null;
  // iptables-save leaves out a source of all addresses.
  const prefix = source === undefined ? null : parsePrefix(source);
  return prefix === null ? null : { prefix, until: end === "0" ? FOREVER : Number(end) * SECOND };
}
