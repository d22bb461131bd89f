import { StoplogError } from "../core/errors.ts";
import type { Trouble } from "../core/trouble.ts";
import type { Hooks, HooksDeps } from "../notify/hooks.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";

/** Webhooks, mail and programs that are notified of bans. Their code is loaded once something is configured under `notify`. */
export class Notifiers implements Feature {
  readonly name = "notifiers";
  readonly #deps: HooksDeps;
  #hooks: Hooks | null = null;

  constructor(deps: HooksDeps) {
    this.#deps = deps;
  }

  async follow({ config: { notify } }: Settings): Promise<void> {
    if (this.#hooks === null && notify.length === 0) return;
    this.#hooks ??= await openHooks(this.#deps);
    await this.#hooks.follow(notify);
  }

  status(): StatusFragment {
    return { notify: this.#hooks?.status() ?? [] };
  }

  troubles(): readonly Trouble[] {
    return this.#hooks?.troubles() ?? [];
  }

  /** Sends a test message; returns why it did not arrive, or null. Rejects when no notifier has that name. */
  async test(name: string): Promise<string | null> {
    if (this.#hooks !== null) return this.#hooks.test(name);
    throw new StoplogError(`Cannot notify ${name}: nothing is configured under notify`);
  }

  /** Sends the remaining messages, for two seconds at most. */
  async close(): Promise<void> {
    await this.#hooks?.close();
  }
}

async function openHooks(deps: HooksDeps): Promise<Hooks> {
  const { Hooks } = await import("../notify/hooks.ts");
  return new Hooks(deps);
}
