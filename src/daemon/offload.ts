import type { StatusReply } from "../api/wire.ts";
import { type Instant, MINUTE } from "../core/time.ts";
import { nftables } from "../enforce/nftables/kind.ts";
import { Every } from "./every.ts";
import type { CloseOptions, Feature, Settings } from "./feature.ts";
import type { Jails } from "./jails.ts";
import type { KernelJails, KernelJailsDeps } from "./kernel-jails.ts";
import type { Targets } from "./targets.ts";

export type OffloadDeps = Omit<KernelJailsDeps, "settled"> & {
  readonly jails: Jails;
  readonly targets: Targets;
  readonly dryRun: boolean;
};

/** What the kernel counts for one jail. */
export interface OffloadFigures {
  readonly kernel: StatusReply["jails"][number]["kernel"];
  /** Bans that the cap has put off. */
  readonly capped: number;
}

/** The jails that the kernel counts for. The code is loaded once a jail has `offload`. */
export class Offload implements Feature {
  readonly name = "the kernel's jails";
  readonly #deps: OffloadDeps;
  readonly #refresh = new Every(MINUTE);
  #jails: KernelJails | null = null;

  constructor(deps: OffloadDeps) {
    this.#deps = deps;
  }

  /** Without such jails, removes what an earlier run left of them in the kernel. */
  async follow({ config }: Settings): Promise<void> {
    const { dryRun, targets, jails } = this.#deps;
    // Bans of jails that are removed now stay in the book.
    await this.takeUp();
    if (this.#jails === null) {
      if (!dryRun && config.jails.some(({ offload }) => offload !== undefined)) await this.#open();
      else if (targets.all.some(({ enforcer }) => enforcer.kind === nftables.name)) await discard();
    }
    await this.#jails?.follow(config, jails.all);
    await this.takeUp();
  }

  tick(now: Instant): void {
    // This machine's addresses may have changed.
    if (this.#refresh.isDue(now)) this.#jails?.refreshOwn();
    void this.takeUp();
  }

  /** Moves what the kernel has banned to the book. */
  async takeUp(): Promise<void> {
    await this.#jails?.takeUp();
  }

  figures(jail: string): OffloadFigures {
    return { kernel: this.#jails?.status(jail) ?? null, capped: this.#jails?.capped(jail) ?? 0 };
  }

  async close(options: CloseOptions): Promise<void> {
    await this.#jails?.close(options);
  }

  async #open(): Promise<void> {
    const { KernelJails } = await import("./kernel-jails.ts");
    this.#jails = new KernelJails({ ...this.#deps, settled: () => this.#deps.targets.holds() });
  }
}

async function discard(): Promise<void> {
  const { KernelTable } = await import("../offload/kernel/kernel-table.ts");
  await KernelTable.discard();
}
