import type { StatusReply } from "../api/wire.ts";
import type { Config } from "../config/config.ts";
import { nftables } from "../enforce/nftables/kind.ts";
import type { Enforcing } from "./enforcing.ts";
import type { KernelJails, KernelJailsDeps } from "./kernel-jails.ts";
import type { RunningJail } from "./pipeline.ts";

export type OffloadingDeps = Omit<KernelJailsDeps, "settled"> & {
  readonly enforcing: Enforcing;
  readonly dryRun: boolean;
};

/** The jails that the kernel counts for, where there are any: most configurations have none, and need nothing of what they take. */
export class Offloading {
  readonly #deps: OffloadingDeps;
  #jails: KernelJails | null = null;

  constructor(deps: OffloadingDeps) {
    this.#deps = deps;
  }

  /** Bans that found the book full. */
  get refused(): number {
    return this.#jails?.refused ?? 0;
  }

  /** Takes a configuration's jails to work; without any, what an earlier run left of them is taken away. Rejects with a sentence. */
  async follow(config: Config, jails: readonly RunningJail[]): Promise<void> {
    const { dryRun, enforcing } = this.#deps;
    // What has been banned for jails that go now stays banned.
    await this.takeUp();
    if (this.#jails === null) {
      if (!dryRun && config.jails.some(({ offload }) => offload !== undefined)) await this.#open();
      else if (enforcing.all.some(({ enforcer }) => enforcer.kind === nftables.name)) await discard();
    }
    await this.#jails?.follow(config, jails);
    await this.takeUp();
  }

  /** Moves what the kernel has banned to the book. */
  async takeUp(): Promise<void> {
    await this.#jails?.takeUp();
  }

  tick(): void {
    void this.#jails?.takeUp();
  }

  refreshOwn(): void {
    this.#jails?.refreshOwn();
  }

  status(jail: string): StatusReply["jails"][number]["kernel"] {
    return this.#jails?.status(jail) ?? null;
  }

  capped(jail: string): number {
    return this.#jails?.capped(jail) ?? 0;
  }

  async close(options: { readonly flush: boolean }): Promise<void> {
    await this.#jails?.close(options);
  }

  async #open(): Promise<void> {
    const { KernelJails } = await import("./kernel-jails.ts");
    this.#jails = new KernelJails({ ...this.#deps, settled: () => this.#deps.enforcing.holds() });
  }
}

async function discard(): Promise<void> {
  const { KernelTable } = await import("../offload/kernel/kernel-table.ts");
  await KernelTable.discard();
}
