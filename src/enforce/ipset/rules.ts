import type { IpsetTarget } from "./kind.ts";
import { passesBefore, passSentence } from "../iptables/passes-before.ts";
import { hasRejectChain, portMatches, REJECT_CHAIN, REJECT_LINES } from "../iptables/rules.ts";
import type { Tables } from "../iptables/tables.ts";
import { StoplogError } from "../../core/errors.ts";
import { listOf } from "./names.ts";

/** The iptables rules for a target's list, without `-A CHAIN`: one, or one for each protocol when the target has ports. */
export function rulesOf({ name, ports, protocols, verdict }: IpsetTarget): readonly string[] {
  const action = verdict.kind === "reject" ? REJECT_CHAIN : "DROP";
  const end = `-m set --match-set ${listOf(name)} src -m comment --comment stoplog -j ${action}`;
  return portMatches(ports, protocols).map((match) => `${match}${end}`);
}

/** Puts the rules of these targets, which share a list, at the head of their chains, and removes other rules for the list. */
export async function placeRules(
  tables: Tables,
  list: string,
  targets: readonly IpsetTarget[],
): Promise<void> {
  const text = await tables.save();
  if (hasRules(text, list, targets)) return;
  const fact = await tables.restore([
    ...(rejects(targets) ? REJECT_LINES : []),
    ...desiredRules(targets)
      .toReversed()
      .map((rule) => rule.replace(/^-A (\S+)/, "-I $1 1")),
    ...rulesIn(text, list).map((rule) => rule.replace(/^-A/, "-D")),
  ]);
  if (fact !== null) throw new StoplogError(`Cannot create the rule for the set ${list}: ${fact}`);
}

/** Whether exactly these rules are in the output of `iptables-save`. */
export function hasRules(text: string, list: string, targets: readonly IpsetTarget[]): boolean {
  return sameRules(rulesIn(text, list), desiredRules(targets)) && (!rejects(targets) || hasRejectChain(text));
}

/** Rules of others that accept packets before they come to ours, as sentences. */
export function obstaclesTo(text: string, list: string, targets: readonly IpsetTarget[]): readonly string[] {
  const isOurs = (line: string): boolean => isRuleFor(line, list);
  const before = targets
    .filter(({ rule }) => rule)
    .flatMap(({ chain, ports }) => passesBefore(text, { chain, ports, isOurs }));
  return [...new Set(before)].map((line) => passSentence(line, `the rule for the set ${list}`));
}

export async function removeRules(tables: Tables, list: string): Promise<void> {
  const text = await tables.save();
  const found = rulesIn(text, list);
  if (found.length > 0) {
    const fact = await tables.restore(found.map((rule) => rule.replace(/^-A/, "-D")));
    if (fact !== null) throw new StoplogError(`Cannot remove the rule for the set ${list}: ${fact}`);
  }
  // iptables refuses both lines while another rule uses the chain.
  if (text.includes(`:${REJECT_CHAIN} `)) await tables.restore([`-F ${REJECT_CHAIN}`, `-X ${REJECT_CHAIN}`]);
}

function desiredRules(targets: readonly IpsetTarget[]): readonly string[] {
  const rules = targets.flatMap((target) =>
    target.rule ? rulesOf(target).map((rule) => `-A ${target.chain} ${rule}`) : [],
  );
  return [...new Set(rules)];
}

function rejects(targets: readonly IpsetTarget[]): boolean {
  return targets.some(({ rule, verdict }) => rule && verdict.kind === "reject");
}

/** Our rules: the operator may have others for the list. */
function rulesIn(text: string, list: string): readonly string[] {
  return text.split("\n").filter((line) => isRuleFor(line, list));
}

function isRuleFor(line: string, list: string): boolean {
  return (
    line.startsWith("-A ") && line.includes(` -m set --match-set ${list} src -m comment --comment stoplog `)
  );
}

function sameRules(found: readonly string[], desired: readonly string[]): boolean {
  return found.length === desired.length && new Set([...found, ...desired]).size === desired.length;
}
