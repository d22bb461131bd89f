import type { IpsetTarget } from "./kind.ts";
import { portMatches, REJECT_CHAIN, REJECT_LINES } from "../iptables/rules.ts";
import type { Tables } from "../iptables/tables.ts";
import { StoplogError } from "../../core/errors.ts";
import { listOf } from "./names.ts";

/** The rules of iptables that use a target's list, without `-A CHAIN`: one, or one for each protocol where it is for some ports only. */
export function rulesOf({ name, ports, protocols, verdict }: IpsetTarget): readonly string[] {
  const action = verdict.kind === "reject" ? REJECT_CHAIN : "DROP";
  const end = `-m set --match-set ${listOf(name)} src -m comment --comment stoplog -j ${action}`;
  return portMatches(ports, protocols).map((match) => `${match}${end}`);
}

/** Makes the rules of these targets, which share a list, stand once at the head of their chains, and others of the list nowhere. */
export async function placeRules(
  tables: Tables,
  list: string,
  targets: readonly IpsetTarget[],
): Promise<void> {
  const found = rulesIn(await tables.save(), list);
  const wanted = wantedRules(targets);
  if (sameRules(found, wanted)) return;
  const rejects = targets.some(({ verdict }) => verdict.kind === "reject");
  const fact = await tables.restore([
    ...(rejects ? REJECT_LINES : []),
    ...wanted.toReversed().map((rule) => rule.replace(/^-A (\S+)/, "-I $1 1")),
    ...found.map((rule) => rule.replace(/^-A/, "-D")),
  ]);
  if (fact !== null) throw new StoplogError(`Cannot make the rule for the set ${list}: ${fact}`);
}

/** Whether the rules stand as they should. */
export async function rulesStand(
  tables: Tables,
  list: string,
  targets: readonly IpsetTarget[],
): Promise<boolean> {
  return sameRules(rulesIn(await tables.save(), list), wantedRules(targets));
}

export async function removeRules(tables: Tables, list: string): Promise<void> {
  const text = await tables.save();
  const found = rulesIn(text, list);
  if (found.length > 0) {
    const fact = await tables.restore(found.map((rule) => rule.replace(/^-A/, "-D")));
    if (fact !== null) throw new StoplogError(`Cannot take the rule for the set ${list} away: ${fact}`);
  }
  // Refused as a whole while others use it.
  if (text.includes(`:${REJECT_CHAIN} `)) await tables.restore([`-F ${REJECT_CHAIN}`, `-X ${REJECT_CHAIN}`]);
}

function wantedRules(targets: readonly IpsetTarget[]): readonly string[] {
  const rules = targets.flatMap((target) =>
    target.rule ? rulesOf(target).map((rule) => `-A ${target.chain} ${rule}`) : [],
  );
  return [...new Set(rules)];
}

/** Ours only: the administrator may have rules of his own for the list. */
function rulesIn(text: string, list: string): readonly string[] {
  const end = ` -m set --match-set ${list} src -m comment --comment stoplog `;
  return text.split("\n").filter((line) => line.startsWith("-A ") && line.includes(end));
}

function sameRules(found: readonly string[], wanted: readonly string[]): boolean {
  return found.length === wanted.length && new Set([...found, ...wanted]).size === wanted.length;
}
