import { isV4 } from "../../core/address.ts";
import { StoplogError } from "../../core/errors.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import { type IptablesTarget, LIMITS } from "./kind.ts";
import { lastChanges } from "../last-changes.ts";
import { BanChain, removeStray } from "./chain.ts";
import { REJECT_CHAIN } from "./rules.ts";
import { TablesWatch } from "./tables-watch.ts";
import { type Tables, tablesOf } from "./tables.ts";

export interface IptablesOptions {
  /** The most bans of one family at one target. */
  readonly capacity?: number;
  readonly tables?: Readonly<Record<"v4" | "v6", Tables>>;
}

/** One iptables rule for each ban, in a chain of the target. The rule's comment has the end of the ban, and is read after a restart. */
export class IptablesEnforcer implements Enforcer {
  readonly kind = "iptables";
  readonly expires = "book";
  readonly #options: Required<IptablesOptions>;
  readonly #watches: Readonly<Record<"v4" | "v6", TablesWatch>>;
  #chains: ReadonlyMap<string, Readonly<Record<"v4" | "v6", BanChain>>> | null = null;
  #obstacles: Readonly<Record<"v4" | "v6", readonly string[]>> = { v4: [], v6: [] };

  constructor({
    capacity = LIMITS.iptablesRules.value,
    tables = { v4: tablesOf("v4"), v6: tablesOf("v6") },
  }: IptablesOptions = {}) {
    this.#options = { capacity, tables };
    this.#watches = { v4: new TablesWatch(tables.v4), v6: new TablesWatch(tables.v6) };
  }

  async open(targets: readonly IptablesTarget[]): Promise<void> {
    const { tables, capacity } = this.#options;
    const before = this.#chains;
    const chains = new Map(
      targets.map((target) => [
        target.name,
        { v4: new BanChain(target, tables.v4, capacity), v6: new BanChain(target, tables.v6, capacity) },
      ]),
    );
    for (const family of ["v4", "v6"] as const) {
      const found = await tables[family].save();
      for (const both of chains.values()) await both[family].open(found);
      const made = await tables[family].save();
      for (const both of chains.values()) both[family].noteAround(made);
    }
    this.#chains = chains;
    if (before === null)
      for (const family of ["v4", "v6"] as const) await removeStray(targets, tables[family]);
    for (const [name, { v4, v6 }] of before ?? []) {
      if (chains.has(name)) continue;
      await v4.remove();
      await v6.remove();
    }
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const last = await lastChanges(changes, this.#opened(), now);
    return [
      ...last.refusals,
      ...(await this.#forEach([...last.changes.values()], (chain, ours) =>
        ours.length === 0 ? [] : chain.apply(ours),
      )),
    ];
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const last = await lastChanges(bans, this.#opened(), now);
    const running = [...last.changes.values()].filter(({ kind }) => kind === "ban");
    return [...last.refusals, ...(await this.#forEach(running, (chain, ours) => chain.replace(ours)))];
  }

  async list(): Promise<readonly Enforced[]> {
    return [...this.#opened()].flatMap(([target, { v4, v6 }]) =>
      [...v4.rules, ...v6.rules].map(({ prefix, until }) => ({ prefix, target, until })),
    );
  }

  /** Compares all rules, but only where a rule has changed. */
  async missing(): Promise<string | null> {
    for (const family of ["v4", "v6"] as const) {
      const text = await this.#watches[family].look();
      if (text === null) continue;
      const chains = [...(this.#chains?.values() ?? [])].map((both) => both[family]);
      for (const chain of chains) {
        const fact = chain.lossIn(text);
        if (fact !== null) return fact;
      }
      const obstacles = new Set(chains.flatMap((chain) => chain.obstaclesIn(text)));
      this.#obstacles = { ...this.#obstacles, [family]: [...obstacles] };
    }
    return null;
  }

  obstacles(): readonly string[] {
    return [...this.#obstacles.v4, ...this.#obstacles.v6];
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    const chains = this.#chains;
    this.#chains = null;
    try {
      if (flush && chains !== null) await this.#remove(chains);
    } finally {
      for (const family of ["v4", "v6"] as const) this.#options.tables[family].close();
    }
  }

  async #remove(chains: ReadonlyMap<string, Readonly<Record<"v4" | "v6", BanChain>>>): Promise<void> {
    for (const { v4, v6 } of chains.values()) {
      await v4.remove();
      await v6.remove();
    }
    for (const tables of [this.#options.tables.v4, this.#options.tables.v6]) {
      const hasReject = (await tables.save()).includes(`:${REJECT_CHAIN} `);
      if (hasReject) await tables.restore([`-F ${REJECT_CHAIN}`, `-X ${REJECT_CHAIN}`]);
    }
  }

  #opened() {
    if (this.#chains === null) throw new StoplogError("Cannot change bans: iptables is not open");
    return this.#chains;
  }

  async #forEach(
    changes: readonly Enforcement[],
    act: (chain: BanChain, ours: readonly Enforcement[]) => readonly Refusal[] | Promise<readonly Refusal[]>,
  ): Promise<readonly Refusal[]> {
    const rounded = changes.map((change) =>
      change.kind === "ban" ? { ...change, until: rounding(change.until) } : change,
    );
    const refusals: Refusal[] = [];
    for (const [target, { v4, v6 }] of this.#opened()) {
      const ours = rounded.filter((change) => change.target === target);
      refusals.push(
        ...(await act(
          v4,
          ours.filter(({ prefix }) => isV4(prefix.address)),
        )),
      );
      refusals.push(
        ...(await act(
          v6,
          ours.filter(({ prefix }) => !isV4(prefix.address)),
        )),
      );
    }
    return refusals;
  }
}

/** A rule's comment has the end in whole seconds. */
function rounding(until: Instant): Instant {
  return until === FOREVER ? FOREVER : Math.ceil(until / SECOND) * SECOND;
}
