import { systemClock } from "../../core/clock.ts";
import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { type Instant, SECOND } from "../../core/time.ts";
import { checkName } from "../../kernel/nftables/name.ts";
import type { Enforced, Enforcement, Enforcer, Refusal, PacketTarget } from "../enforcer.ts";
import { type BanSet, banSet, checkTargetName, parseBanSet } from "../ruleset/names.ts";
import { chainsOf, helperSetsOf, sourceChain } from "../ruleset/ban-rules.ts";
import { clockFrom, lastingBans, lastOfEach, StandingSets } from "../ruleset/standing-sets.ts";
import { commitScripts, GONE } from "./commit.ts";
import { type NftProgram, nftProgram } from "./program.ts";
import { bansIn, type Listed, type ListedSet, readTable } from "./read-listing.ts";
import { Samples } from "./samples.ts";
import { Script, type Time } from "./script.ts";

export interface NftProgramOptions {
  readonly table?: string;
  /** A bound on the elements in each set. */
  readonly size?: number;
  readonly program?: NftProgram;
  readonly now?: () => Instant;
}

/**
 * Bans through the nft program, with a process for each batch, for machines without koffi. The table is the same as with our own
 * messages: each adopts what the other left. Looks at the table and at one element of each set every second.
 */
export class NftProgramEnforcer implements Enforcer {
  readonly kind = "nft";
  readonly expires = "kernel";
  readonly compareEvery = 10 * SECOND;
  readonly #table: string;
  readonly #size: number;
  readonly #nft: NftProgram;
  readonly #now: () => Instant;
  #standing: StandingSets | null = null;
  #onLost: (fact: string) => void = () => {};
  #lost = false;
  /** Whether `open` made the table and no `replace` followed. */
  #isMade = false;
  /** The table as nft printed it after our last change of anything but elements. */
  #text = "";
  readonly #samples = new Samples();

  constructor(options: NftProgramOptions = {}) {
    this.#table = options.table ?? "stoplog";
    checkName(this.#table, "a table");
    this.#size = options.size ?? LIMITS.setElements.value;
    this.#nft = options.program ?? nftProgram();
    this.#now = options.now ?? systemClock.now;
  }

  async open(targets: readonly PacketTarget[], onLost: (fact: string) => void): Promise<void> {
    for (const { name } of targets) checkTargetName(name);
    this.#onLost = onLost;
    await this.#create(targets);
    this.#isMade = true;
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const time = { now, clock: clockFrom(now) };
    return this.#apply(changes, time);
  }

  async replace(all: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const time = { now, clock: clockFrom(now) };
    // Right after `open` the table is whole: each process of nft takes time in which packets pass.
    const standing = this.#isMade ? this.#opened() : await this.#create([...this.#opened().targets.values()]);
    this.#isMade = false;
    const bans = [...all];
    const faults = await this.#makeSets(standing, bans, now);
    const { placed, refusals } = standing.place(bans, now, faults);
    const desired = lastOfEach(lastingBans(placed, now));
    const script = new Script(this.#table);
    for (const set of standing.all) {
      script.flushSet(set.name);
      script.newElements(
        desired.filter((change) => change.set === set),
        time.clock(),
      );
    }
    this.#samples.clear();
    const fault = await this.#nft.run(script.text);
    this.#lost = false;
    if (fault === null) this.#samples.note(desired);
    // Something in it was refused. Apply the difference instead, which finds the refused elements.
    if (fault === null) return refusals;
    const difference = await this.#applyDifference(
      desired.map(({ change }) => change),
      time,
    );
    return [...refusals, ...difference];
  }

  async list(): Promise<readonly Enforced[]> {
    const all: Enforced[] = [];
    for (const set of this.#opened().all) {
      const json = await this.#nft.read(["list", "set", "inet", this.#table, set.name]);
      for (const ban of bansIn(json, set, this.#now())) all.push(ban);
    }
    return all;
  }

  async missing(now: Instant): Promise<string | null> {
    if (this.#standing === null || this.#lost) return null;
    if ((await this.#listed())?.text !== this.#text)
      return `another program deleted or changed the table inet ${this.#table}`;
    const script = new Script(this.#table);
    for (const { set, key } of this.#samples.lasting(now)) script.deleteElement(set, key);
    // Only tried: it fails where an element does not exist.
    return (await this.#nft.check(script.text)) === GONE
      ? `another program removed elements from the table inet ${this.#table}`
      : null;
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    if (this.#standing === null) return;
    this.#standing = null;
    const script = new Script(this.#table);
    script.deleteTable();
    if (flush) await this.#nft.run(script.text);
  }

  async #apply(changes: readonly Enforcement[], time: Time): Promise<readonly Refusal[]> {
    const standing = this.#opened();
    const faults = await this.#makeSets(standing, changes, time.now);
    const { placed, refusals } = standing.place(changes, time.now, faults);
    const committed = await commitScripts(placed, {
      nft: this.#nft,
      table: this.#table,
      size: this.#size,
      time,
    });
    if (committed.gone) this.#noteLoss(`the table inet ${this.#table} or a set of it is gone`);
    // A refusal does not name its element, which may not be in the set.
    this.#samples.note(
      committed.refusals.length === 0 ? placed : placed.filter(({ change }) => change.kind === "unban"),
    );
    return [...refusals, ...committed.refusals];
  }

  async #applyDifference(desired: readonly Enforcement[], time: Time): Promise<readonly Refusal[]> {
    const keys = new Set(desired.map(keyOf));
    const surplus = (await this.list()).filter((enforced) => !keys.has(keyOf(enforced)));
    const unbans = surplus.map(({ prefix, target }): Enforcement => ({ kind: "unban", prefix, target }));
    return this.#apply([...unbans, ...desired], time);
  }

  /** As with our own messages: sets of bans are kept, everything else is made again, in one transaction. */
  async #create(targets: readonly PacketTarget[]): Promise<StandingSets> {
    const listed = await this.#listed();
    const { chains: before, sets: found } = listed ?? { chains: [], sets: [] };
    const kept = found.flatMap((set) => keptSet(set, targets));
    const names = new Set(kept.map(({ name }) => name));
    const made = targets
      .flatMap(({ name }) => [banSet(name, "v4", null), banSet(name, "v6", null)])
      .filter(({ name }) => !names.has(name));
    const script = new Script(this.#table);
    // An existing table may have flags that nft does not know; to add it again would then fail. A dormant one is woken by that.
    if (listed === null || listed.isDormant) script.table();
    for (const chain of before) script.flushChain(chain);
    for (const chain of before) script.deleteChain(chain);
    for (const { name } of found) if (!names.has(name)) script.deleteSet(name);
    for (const set of made) script.banSet(set, this.#size);
    for (const set of helperSetsOf(targets)) script.helperSet(set);
    const chains = chainsOf(targets, [...kept, ...made]);
    for (const chain of chains) script.chain(chain);
    for (const chain of chains) script.rules(chain);
    const fault = await this.#nft.run(script.text);
    if (fault !== null) throw new StoplogError(`Cannot use nft: ${openFault(fault)}`);
    this.#text = (await this.#listed())?.text ?? "";
    this.#standing = new StandingSets(targets, [...kept, ...made]);
    return this.#standing;
  }

  async #listed(): Promise<Listed | null> {
    return readTable(await this.#nft.ruleset(), this.#table);
  }

  /** Makes the sets of new prefix lengths. Answers why some could not be made, by their names. */
  async #makeSets(
    standing: StandingSets,
    changes: readonly Enforcement[],
    now: Instant,
  ): Promise<ReadonlyMap<string, string>> {
    const faults = new Map<string, string>();
    for (const set of standing.missingFor(changes, now)) {
      const script = new Script(this.#table);
      const chain = sourceChain(standing.targets.get(set.target)!, set.family, [...standing.all, set]);
      script.flushChain(chain.name);
      script.banSet(set, this.#size);
      script.rules(chain);
      const fault = await this.#nft.run(script.text);
      if (fault === null) standing.add(set);
      else faults.set(set.name, fault);
      if (fault === GONE) this.#noteLoss(`the table inet ${this.#table} or a chain of it is gone`);
      else this.#text = (await this.#listed())?.text ?? "";
    }
    return faults;
  }

  #opened(): StandingSets {
    if (this.#standing === null) throw new StoplogError("Cannot change bans: nft is not open");
    return this.#standing;
  }

  #noteLoss(fact: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost(fact);
  }
}

function openFault(fault: string): string {
  return fault.startsWith("Operation not permitted")
    ? "CAP_NET_ADMIN is missing, or another program owns the table"
    : fault;
}

function keptSet({ name, type, flags }: ListedSet, targets: readonly PacketTarget[]): BanSet[] {
  const set = parseBanSet(name);
  if (set === null || !targets.some((target) => target.name === set.target)) return [];
  const fits = flags === "timeout" && type === (set.family === "v4" ? "ipv4_addr" : "ipv6_addr");
  return fits ? [set] : [];
}

function keyOf({
  prefix,
  target,
}: {
  readonly prefix: Enforcement["prefix"];
  readonly target: string;
}): string {
  return `${target} ${formatPrefix(prefix)}`;
}
