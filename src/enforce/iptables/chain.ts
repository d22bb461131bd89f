import { StoplogError } from "../../core/errors.ts";
import { formatPrefix, samePrefix } from "../../core/prefix.ts";
import type { Enforcement, Refusal } from "../enforcer.ts";
import type { IptablesTarget } from "./kind.ts";
import { refused } from "../last-changes.ts";
import {
  type BanRule,
  chainOf,
  jumpsTo,
  ourChains,
  readSaved,
  REJECT_LINES,
  ruleOf,
  type SavedChain,
} from "./rules.ts";
import type { Tables } from "./tables.ts";

/**
 * The chain of one target in one family. Its rules are mirrored here in their order, since a rule is deleted by its number: by what it
 * says, each deletion compares all of them.
 */
export class BanChain {
  readonly #target: IptablesTarget;
  readonly #tables: Tables;
  readonly #capacity: number;
  readonly #name: string;
  #rules: BanRule[] = [];

  constructor(target: IptablesTarget, tables: Tables, capacity: number) {
    this.#target = target;
    this.#tables = tables;
    this.#capacity = capacity;
    this.#name = chainOf(target.name);
  }

  get rules(): readonly BanRule[] {
    return this.#rules;
  }

  /** Makes the chain and what leads to it, once, and takes up the bans that are in it. Rejects with a StoplogError. */
  async open(): Promise<void> {
    const saved = readSaved(await this.#tables.save(), this.#name);
    const rules = saved.rules.filter((rule) => rule !== null);
    const fact = await this.#tables.restore([
      ...(this.#target.verdict.kind === "reject" ? REJECT_LINES : []),
      ...this.#jumpLines(saved),
      `:${this.#name} - [0:0]`,
      ...rules.map((rule) => this.#append(rule)),
    ]);
    if (fact !== null) throw new StoplogError(`Cannot make the chain ${this.#name}: ${fact}`);
    this.#rules = rules;
  }

  /** Null, or what is missing: the chain, or what leads to it. */
  async missing(): Promise<string | null> {
    const { found, jumps } = readSaved(await this.#tables.save(), this.#name);
    if (!found) return `the chain ${this.#name} is gone`;
    return jumps.length === 0
      ? `no rule of ${this.#target.chain} leads to the chain ${this.#name} any more`
      : null;
  }

  /** Each prefix is among the changes once. */
  async apply(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const touched = new Set(changes.map(({ prefix }) => formatPrefix(prefix)));
    const kept = this.#rules.filter(({ prefix }) => !touched.has(formatPrefix(prefix)));
    const there = new Set(this.#rules.map(({ prefix }) => formatPrefix(prefix)));
    const isNew = ({ prefix }: Enforcement): number => Number(!there.has(formatPrefix(prefix)));
    // Those that are there and get another end are no new bans that find no room.
    const inOrder = changes.toSorted((a, b) => isNew(a) - isNew(b));
    const { fits, refusals } = this.#fitting(inOrder, this.#capacity - kept.length);
    const numbers = this.#rules.flatMap(({ prefix }, i) =>
      touched.has(formatPrefix(prefix)) ? [i + 1] : [],
    );
    const lines = [
      // New rules go behind the others, so the numbers stay, and nobody is let in between.
      ...fits.map((rule) => this.#append(rule)),
      ...numbers.toReversed().map((number) => `-D ${this.#name} ${number}`),
    ];
    if (lines.length === 0) return refusals;
    const wanted = [...kept, ...fits];
    const fact = await this.#tables.restore(lines);
    if (fact === null) this.#rules = wanted;
    else await this.#rewrite(wanted);
    return refusals;
  }

  /** Makes the chain hold exactly these bans, at one stroke. */
  async replace(bans: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const { fits, refusals } = this.#fitting(bans, this.#capacity);
    const isSame =
      fits.length === this.#rules.length && fits.every((rule, i) => sameRule(rule, this.#rules[i]));
    if (!isSame) await this.#rewrite(fits);
    return refusals;
  }

  /** Takes the chain away, and what leads to it. */
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
    const fact = `a chain of iptables has ${this.#capacity} bans at most, since each packet passes them all`;
    return {
      fits: bans.slice(0, most).map(({ prefix, until }): BanRule => ({ prefix, until })),
      refusals: bans.slice(most).map((ban) => refused(ban, fact)),
    };
  }

  /** What leads there is put at the head of the administrator's chain, and what led there otherwise is taken away. */
  #jumpLines({ jumps }: SavedChain): readonly string[] {
    const wanted = jumpsTo(this.#target);
    const there = new Set(jumps);
    if (
      jumps.length === wanted.length &&
      wanted.every((jump) => there.has(`-A ${this.#target.chain} ${jump}`))
    )
      return [];
    return [
      `:${this.#name} - [0:0]`,
      ...jumps.map((jump) => jump.replace(/^-A/, "-D")),
      ...wanted.map((jump) => `-I ${this.#target.chain} 1 ${jump}`),
    ];
  }

  #append(rule: BanRule): string {
    return `-A ${this.#name} ${ruleOf(rule, this.#target)}`;
  }
}

/** Takes chains away that an earlier run made for targets that are no more: nobody else knows when their bans end. */
export async function removeStray(targets: readonly IptablesTarget[], tables: Tables): Promise<void> {
  const wanted = new Set(targets.map(({ name }) => chainOf(name)));
  for (const name of ourChains(await tables.save())) if (!wanted.has(name)) await removeChain(name, tables);
}

async function removeChain(name: string, tables: Tables): Promise<void> {
  const { found, jumps } = readSaved(await tables.save(), name);
  if (!found) return;
  const lines = [...jumps.map((jump) => jump.replace(/^-A/, "-D")), `-F ${name}`, `-X ${name}`];
  const fact = await tables.restore(lines);
  if (fact !== null) throw new StoplogError(`Cannot take the chain ${name} away: ${fact}`);
}

function sameRule(a: BanRule, b: BanRule | undefined): boolean {
  return b !== undefined && samePrefix(a.prefix, b.prefix) && a.until === b.until;
}
