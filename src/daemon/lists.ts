import type { WhyReply } from "../api/wire.ts";
import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import { nftables } from "../enforce/nftables/kind.ts";
import type { ListsDeps, Lists as RunningLists } from "../lists/lists.ts";
import { LISTS_TABLE } from "../kernel/nftables/table-names.ts";
import { tablePlace } from "./locks.ts";
import type { CloseOptions, Feature, Settings, StatusFragment } from "./feature.ts";
import type { Targets } from "./targets.ts";

export type ListsFeatureDeps = ListsDeps & {
  readonly targets: Targets;
  readonly stateDirectory: string | null;
  /** Whether no other daemon uses this object of the kernel. */
  readonly isFree: (place: string) => boolean;
};

/** The address lists of the configuration. Their code is loaded once a list is configured. */
export class Lists implements Feature {
  readonly name = "lists";
  readonly #deps: ListsFeatureDeps;
  #lists: RunningLists | null = null;

  constructor(deps: ListsFeatureDeps) {
    this.#deps = deps;
  }

  /** Null while no list is configured. */
  get running(): RunningLists | null {
    return this.#lists;
  }

  /** Without lists, removes what an earlier run left of them in the kernel. */
  async follow({ config }: Settings): Promise<void> {
    const { stateDirectory, targets, isFree } = this.#deps;
    if (this.#lists === null) {
      if (config.lists.length > 0) {
        const loaded = await import("../lists/lists.ts");
        this.#lists = new loaded.Lists(stateDirectory, this.#deps);
      } else if (targets.all.some(({ enforcer }) => enforcer.kind === nftables.name)) {
        if (isFree(tablePlace(LISTS_TABLE))) await discard();
      }
    }
    await this.#lists?.follow(config);
  }

  tick(now: Instant): void {
    this.#lists?.tick(now);
  }

  /** The lists that an address is on. */
  on(address: Address): WhyReply["lists"] {
    return this.#lists?.on(address) ?? [];
  }

  status(): StatusFragment {
    return { lists: this.#lists?.status() ?? [] };
  }

  troubles(): readonly Trouble[] {
    return this.#lists?.troubles() ?? [];
  }

  warnings(): readonly string[] {
    return this.#lists?.warnings() ?? [];
  }

  async close(options: CloseOptions): Promise<void> {
    await this.#lists?.close(options);
  }
}

async function discard(): Promise<void> {
  const { ListSets } = await import("../lists/kernel/list-sets.ts");
  await ListSets.discard();
}
