import { StoplogError } from "../../core/errors.ts";
import { formatPrefix, samePrefix } from "../../core/prefix.ts";
import type { Enforcement, Refusal } from "../enforcer.ts";
import type { IptablesTarget } from "./kind.ts";
import { refused } from "../last-changes.ts";
import { passesBefore, passSentence } from "./passes-before.ts";
import {
  type BanRule,
  chainOf,
  jumpsTo,
  ourChains,
  readSaved,
  REJECT_CHAIN,
  REJECT_LINES,
  ruleOf,
  type SavedChain,
} from "./rules.ts";
import type { Tables } from "./tables.ts";

/**
 * The chain of one target in one family. Mirrors its rules: `lossIn` compares them with the chain. A rule is deleted by its text, so that
 * an unban never hits another rule.
 */
export class BanChain {
  readonly #target: IptablesTarget;
  readonly #tables: Tables;
  readonly #capacity: number;
  readonly #name: string;
  #rules: BanRule[] = [];
  /** What `#aroundIn` was at `noteAround`. */
  #around = "";

  constructor(target: IptablesTarget, tables: Tables, capacity: number) {
    this.#target = target;
    this.#tables = tables;
    this.#capacity = capacity;
    this.#name = chainOf(target.name);
  }

  get rules(): readonly BanRule[] {
    return this.#rules;
  }

  /** Creates the chain and the jumps to it, and keeps the bans in it. Gets what `save` printed. Rejects with a StoplogError. */
  async open(text: string): Promise<void> {
    const saved = readSaved(text, this.#name);
    const rules = saved.rules.filter((rule) => rule !== null);
    const fact = await this.#tables.restore([
      ...(this.#target.verdict.kind === "reject" ? REJECT_LINES : []),
      ...this.#jumpLines(saved),
      `:${this.#name} - [0:0]`,
      ...rules.map((rule) => this.#append(rule)),
    ]);
    if (fact !== null) throw new StoplogError(`Cannot create the chain ${this.#name}: ${fact}`);
    this.#rules = rules;
  }

  /** Remembers the rules around the chain as `save` prints them after `open`. */
  noteAround(text: string): void {
    this.#around = this.#aroundIn(text);
  }

  /** What is gone or changed in the output of `iptables-save`, as a fact; null for nothing. */
  lossIn(text: string): string | null {
    const { found, jumps, rules } = readSaved(text, this.#name);
    if (!found) return `the chain ${this.#name} is gone`;
    if (jumps.length === 0) return `no rule of ${this.#target.chain} jumps to the chain ${this.#name}`;
    if (this.#aroundIn(text) !== this.#around)
      return `another program changed the rules around the chain ${this.#name}`;
    const isSame =
      rules.length === this.#rules.length && this.#rules.every((rule, i) => sameRule(rule, rules[i]));
    return isSame ? null : `another program changed the rules of the chain ${this.#name}`;
  }

  /** Rules of others that accept packets before they come to the chain, as sentences. */
  obstaclesIn(text: string): readonly string[] {
    const { chain, ports } = this.#target;
    const isOurs = (line: string): boolean => line.endsWith(` -j ${this.#name}`);
    return passesBefore(text, { chain, ports, isOurs }).map((line) =>
      passSentence(line, `the jump to ${this.#name}`),
    );
  }

  /** The changes name each prefix once. */
  async apply(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const touched = new Set(changes.map(({ prefix }) => formatPrefix(prefix)));
    const kept = this.#rules.filter(({ prefix }) => !touched.has(formatPrefix(prefix)));
    const there = new Set(this.#rules.map(({ prefix }) => formatPrefix(prefix)));
    const isNew = ({ prefix }: Enforcement): number => Number(!there.has(formatPrefix(prefix)));
    // A held ban that gets another end keeps its place in a full chain.
    const inOrder = changes.toSorted((a, b) => isNew(a) - isNew(b));
    const { fits, refusals } = this.#fitting(inOrder, this.#capacity - kept.length);
    const old = this.#rules.filter(({ prefix }) => touched.has(formatPrefix(prefix)));
    const lines = [
      // New rules are appended before old ones are deleted: no ban has a gap. Of two equal rules the first is deleted.
      ...fits.map((rule) => this.#append(rule)),
      ...old.map((rule) => `-D ${this.#name} ${ruleOf(rule, this.#target)}`),
    ];
    if (lines.length === 0) return refusals;
    const desired = [...kept, ...fits];
    // Fails as a whole when a rule is not there: then another program changed the chain.
    const isDone = old.length <= MOST_BY_TEXT && (await this.#tables.restore(lines)) === null;
    if (isDone) this.#rules = desired;
    else await this.#rewrite(desired);
    return refusals;
  }

  /** Makes the chain hold exactly these bans, atomically. */
  async replace(bans: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const { fits, refusals } = this.#fitting(bans, this.#capacity);
    const isSame =
      fits.length === this.#rules.length && fits.every((rule, i) => sameRule(rule, this.#rules[i]));
    if (!isSame) await this.#rewrite(fits);
    return refusals;
  }

  /** Removes the chain and the jumps to it. */
  async remove(): Promise<void> {
    await removeChain(this.#name, this.#tables);
    this.#rules = [];
  }

  async #rewrite(rules: BanRule[]): Promise<void> {
    const lines = [`:${this.#name} - [0:0]`, ...rules.map((rule) => this.#append(rule))];
    const fact = await this.#tables.restore(lines);
    if (fact !== null) throw new StoplogError(`Cannot change the chain ${this.#name}: ${fact}`);
    this.#rules = rules;
  }

  #fitting(changes: readonly Enforcement[], room: number) {
    const bans = changes.filter((change) => change.kind === "ban");
    const most = Math.max(0, room);
    const fact = `a chain of iptables holds at most ${this.#capacity} bans, because each packet passes every rule`;
    return {
      fits: bans.slice(0, most).map(({ prefix, until }): BanRule => ({ prefix, until })),
      refusals: bans.slice(most).map((ban) => refused(ban, fact, "full")),
    };
  }

  /** Puts the jumps at the head of the operator's chain and removes others. */
  #jumpLines({ jumps }: SavedChain): readonly string[] {
    const desired = jumpsTo(this.#target);
    const there = new Set(jumps);
    if (
      jumps.length === desired.length &&
      desired.every((jump) => there.has(`-A ${this.#target.chain} ${jump}`))
    )
      return [];
    return [
      `:${this.#name} - [0:0]`,
      ...jumps.map((jump) => jump.replace(/^-A/, "-D")),
      ...desired.map((jump) => `-I ${this.#target.chain} 1 ${jump}`),
    ];
  }

  /** The jumps to the chain, and REJECT_CHAIN where its rules jump there. */
  #aroundIn(text: string): string {
    const own = `-A ${this.#name} `;
    const rejects = this.#target.verdict.kind === "reject";
    return text
      .split("\n")
      .filter((line) =>
        line.endsWith(` -j ${this.#name}`)
          ? !line.startsWith(own)
          : rejects && line.startsWith(`-A ${REJECT_CHAIN} `),
      )
      .join("\n");
  }

  #append(rule: BanRule): string {
    return `-A ${this.#name} ${ruleOf(rule, this.#target)}`;
  }
}

/** iptables compares a rule to be deleted with all rules: to write 10,000 rules again costs as much as some 30 deletions from them. */
const MOST_BY_TEXT = 30;

/** Removes chains that an earlier run created for targets that are gone: nothing else would end their bans. */
export async function removeStray(targets: readonly IptablesTarget[], tables: Tables): Promise<void> {
  const desired = new Set(targets.map(({ name }) => chainOf(name)));
  for (const name of ourChains(await tables.save())) if (!desired.has(name)) await removeChain(name, tables);
}

async function removeChain(name: string, tables: Tables): Promise<void> {
  const { found, jumps } = readSaved(await tables.save(), name);
  if (!found) return;
  const lines = [...jumps.map((jump) => jump.replace(/^-A/, "-D")), `-F ${name}`, `-X ${name}`];
  const fact = await tables.restore(lines);
  if (fact !== null) throw new StoplogError(`Cannot remove the chain ${name}: ${fact}`);
}

function sameRule(a: BanRule, b: BanRule | null | undefined): boolean {
  return b !== undefined && b !== null && samePrefix(a.prefix, b.prefix) && a.until === b.until;
}
