import type { StatusReply } from "../api/wire.ts";
import type { Config } from "../config/config.ts";
import { StoplogError } from "../core/errors.ts";
import type { Hooks, HooksDeps } from "../notify/hooks.ts";

/** Whoever is told of bans. Most configurations name nobody, and need nothing of what that takes. */
export class Notifying {
  readonly #deps: HooksDeps;
  #hooks: Hooks | null = null;

  constructor(deps: HooksDeps) {
    this.#deps = deps;
  }

  async follow({ notify }: Pick<Config, "notify">): Promise<void> {
    if (this.#hooks === null && notify.length === 0) return;
    this.#hooks ??= await openHooks(this.#deps);
    await this.#hooks.follow(notify);
  }

  status(): StatusReply["notify"] {
    return this.#hooks?.status() ?? [];
  }

  warnings(): readonly string[] {
    return this.#hooks?.warnings() ?? [];
  }

  /** Sends a test message; answers why it did not arrive, or null. Rejects when there is nobody of that name. */
  async test(name: string): Promise<string | null> {
    if (this.#hooks !== null) return this.#hooks.test(name);
    throw new StoplogError(`Cannot notify ${name}: nothing is configured under notify`);
  }

  /** Tells what is left to tell, for two seconds at most. */
  async close(): Promise<void> {
    await this.#hooks?.close();
  }
}

async function openHooks(deps: HooksDeps): Promise<Hooks> {
  const { Hooks } = await import("../notify/hooks.ts");
  return new Hooks(deps);
}
