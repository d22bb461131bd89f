import type { Config } from "../config/config.ts";
import { offloadPlan } from "../config/offload-plan.ts";
import { type Instant, MINUTE } from "../core/time.ts";
import { nftables } from "../enforce/nftables/kind.ts";
import type { OwnAddresses } from "../jail/ignore.ts";
import type { KernelPlan } from "../offload/kernel/kernel-plan.ts";
import type {
  OffloadedJail,
  OffloadedJails,
  OffloadedJailsDeps,
  OffloadStatus,
} from "../offload/offloaded-jails.ts";
import { KERNEL_TABLE } from "../kernel/nftables/table-names.ts";
import type { BanFile } from "./ban-file.ts";
import { Every } from "./every.ts";
import type { CloseOptions, Feature, Settings } from "./feature.ts";
import { tablePlace } from "./locks.ts";
import type { Jails } from "./jails.ts";
import type { Targets } from "./targets.ts";

export type OffloadDeps = Omit<OffloadedJailsDeps, "enforced"> & {
  readonly own: OwnAddresses;
  readonly bans: Pick<BanFile, "flush">;
  readonly jails: Jails;
  readonly targets: Targets;
  readonly dryRun: boolean;
  /** Whether no other daemon uses this object of the kernel. */
  readonly isFree: (place: string) => boolean;
};

/** What the kernel counts for one jail. */
export interface OffloadFigures {
  readonly kernel: OffloadStatus | null;
  /** Bans that the cap has put off. */
  readonly capped: number;
}

/** The jails that the kernel counts for. Their code is loaded once a jail has `offload`. */
export class Offload implements Feature {
  readonly name = "offload";
  readonly #deps: OffloadDeps;
  readonly #refresh = new Every(MINUTE);
  #jails: OffloadedJails | null = null;
  #config: Config | null = null;

  constructor(deps: OffloadDeps) {
    this.#deps = deps;
  }

  /** Without such jails, removes what an earlier run left of them in the kernel. */
  async follow({ config }: Settings): Promise<void> {
    const { dryRun, targets, jails, isFree } = this.#deps;
    // Bans of jails that are removed now stay in the book.
    await this.collect();
    if (this.#jails === null) {
      if (!dryRun && config.jails.some(({ offload }) => offload !== undefined)) await this.#open();
      else if (targets.all.some(({ enforcer }) => enforcer.kind === nftables.name)) {
        if (isFree(tablePlace(KERNEL_TABLE))) await discard();
      }
    }
    this.#config = config;
    await this.#jails?.follow(this.#plan(config), offloaded(jails));
    await this.collect();
  }

  tick(now: Instant): void {
    // This machine's addresses may have changed.
    if (this.#refresh.isDue(now) && this.#config !== null) this.#jails?.replan(this.#plan(this.#config));
    void this.collect();
  }

  /** Moves the kernel's bans to the book. */
  async collect(): Promise<void> {
    await this.#jails?.collect();
  }

  figures(jail: string): OffloadFigures {
    return { kernel: this.#jails?.status(jail) ?? null, capped: this.#jails?.capped(jail) ?? 0 };
  }

  async close(options: CloseOptions): Promise<void> {
    await this.#jails?.close(options);
  }

  #plan(config: Config): KernelPlan {
    return offloadPlan(config, [...this.#deps.own.values()]);
  }

  async #open(): Promise<void> {
    const { OffloadedJails } = await import("../offload/offloaded-jails.ts");
    this.#jails = new OffloadedJails({ ...this.#deps, enforced: () => this.#enforced() });
  }

  /** A ban leaves the kernel's set once its target holds it and it is on disk: a crash in between must not lose it. */
  async #enforced(): Promise<boolean> {
    const { targets, bans } = this.#deps;
    const holds = await targets.holds();
    await bans.flush();
    return holds;
  }
}

function offloaded({ all }: Jails): readonly OffloadedJail[] {
  return all.flatMap(({ jail, config: { offload } }) =>
    offload === undefined ? [] : [{ jail, connlimit: offload.connlimit }],
  );
}

async function discard(): Promise<void> {
  const { KernelTable } = await import("../offload/kernel/kernel-table.ts");
  await KernelTable.discard();
}
