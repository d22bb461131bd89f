import type { Fail2banSocketParts } from "../api/fail2ban/fail2ban-socket.ts";
import { factOf } from "../core/errors.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import type { Log } from "../observe/log.ts";
import { Every } from "./every.ts";
import type { Feature, Move, Settings, StatusFragment } from "./feature.ts";

export interface Fail2banDoorDeps extends Pick<Fail2banSocketParts, "answer" | "stats"> {
  readonly log: Log;
}

/**
 * The socket that speaks fail2ban's protocol. When it cannot be opened (fail2ban runs, its folder belongs to another user), it is tried again
 * every two seconds; a reload to such a path is refused.
 */
export class Fail2banDoor implements Feature {
  readonly name = "fail2ban's socket";
  readonly #deps: Fail2banDoorDeps;
  readonly #retry = new Every(2 * SECOND);
  #open: { readonly path: string; close(): Promise<void> } | null = null;
  #wanted: string | null = null;
  #trouble: string | null = null;
  #isTrying = false;

  constructor(deps: Fail2banDoorDeps) {
    this.#deps = deps;
  }

  async follow({ config: { fail2banSocket: path } }: Settings, move: Move): Promise<void> {
    if (path === this.#wanted) return;
    const before = this.#open;
    this.#wanted = path;
    this.#open = null;
    this.#trouble = null;
    try {
      if (path !== null) await this.#listen(path);
    } catch (error) {
      if (move === "reload") {
        this.#open = before;
        this.#wanted = before?.path ?? null;
        throw error;
      }
      this.#trouble = factOf(error);
    }
    await before?.close();
  }

  tick(now: Instant): void {
    const path = this.#wanted;
    if (this.#trouble === null || path === null || this.#isTrying || !this.#retry.isDue(now)) return;
    this.#isTrying = true;
    this.#listen(path)
      .catch((error: unknown) => (this.#trouble = factOf(error)))
      .finally(() => (this.#isTrying = false));
  }

  troubles(): readonly Trouble[] {
    return this.#trouble === null ? [] : [{ of: this.name, sentence: this.#trouble }];
  }

  status(): StatusFragment {
    return { fail2ban: { socket: this.#open?.path ?? null, ...this.#deps.stats } };
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    this.#wanted = null;
    await open?.close();
  }

  async #listen(path: string): Promise<void> {
    const { answer, stats, log } = this.#deps;
    const { openFail2banSocket } = await import("../api/fail2ban/fail2ban-socket.ts");
    const socket = await openFail2banSocket({ path, answer, stats });
    // The daemon stopped, or was configured otherwise, while it was opened.
    if (this.#wanted !== path || this.#open !== null) return socket.close();
    this.#open = { path, close: () => socket.close() };
    this.#trouble = null;
    log.info(`fail2ban's socket is at ${path}`);
  }
}
