import type { Trouble } from "../core/trouble.ts";
import { hostname } from "node:os";
import type { Book } from "../book/book.ts";
import { StoplogError } from "../core/errors.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { Hook, type HookDeps, type HookStats } from "./hook.ts";
import { kindOf } from "./kinds.ts";
import type { HookOptions } from "./options.ts";
import type { Deliver } from "./outcome.ts";

export interface HooksDeps {
  readonly book: Book;
  readonly epoch: string;
  readonly version: string;
  readonly now: () => Instant;
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}

export interface HookStatus extends Readonly<HookStats> {
  readonly name: string;
  readonly type: HookOptions["type"];
  readonly waiting: number;
}

/** The notifications of a configuration. A reload keeps unchanged ones running. */
export class Hooks {
  readonly #deps: HooksDeps;
  #hooks: readonly { readonly options: HookOptions; readonly hook: Hook }[] = [];

  /** Counts of notifications that the last reload ended: a refused reload starts them again. */
  #ended: ReadonlyMap<string, HookStats> = new Map();

  constructor(deps: HooksDeps) {
    this.#deps = deps;
  }

  /** Starts and stops notifications to match a configuration. A new one gets the changes from now on. */
  async follow(wanted: readonly HookOptions[]): Promise<void> {
    const before = new Map(this.#hooks.map((one) => [JSON.stringify(one.options), one]));
    this.#hooks = wanted.map((options) => {
      const key = JSON.stringify(options);
      const standing = before.get(key);
      before.delete(key);
      return standing ?? { options, hook: new Hook(options, this.#hookDeps(options), this.#ended.get(key)) };
    });
    this.#ended = new Map([...before].map(([key, { hook }]) => [key, hook.stats]));
    await Promise.all([...before.values()].map(({ hook }) => hook.close(PATIENCE)));
  }

  status(): readonly HookStatus[] {
    return this.#hooks.map(({ options: { name, type }, hook }) => ({
      name,
      type,
      ...hook.stats,
      waiting: hook.waiting,
    }));
  }

  /** Current failures, as sentences. */
  troubles(): readonly Trouble[] {
    return this.#hooks.flatMap(({ options: { name }, hook: { stats } }) =>
      stats.lastTrouble === null
        ? []
        : [{ of: `notifier ${name}`, sentence: `Cannot notify ${name}: ${stats.lastTrouble}` }],
    );
  }

  /** Sends a test message. Resolves with the reason why it did not arrive, or null; rejects for an unknown name. */
  async test(name: string): Promise<string | null> {
    const found = this.#hooks.find(({ options }) => options.name === name);
    if (found !== undefined) return found.hook.test();
    const names = this.#hooks.map(({ options }) => options.name);
    const there = names.length === 1 ? "there is" : "there are";
    const said = names.length === 0 ? "none exist" : `${there} ${names.join(", ")}`;
    throw new StoplogError(`Cannot notify ${name}: it does not exist; ${said}`);
  }

  async close(): Promise<void> {
    await this.follow([]);
  }

  #hookDeps(options: HookOptions): HookDeps {
    const { book, epoch, version, now, warn, info } = this.#deps;
    const machine = { epoch, host: hostname() };
    const kind = kindOf(options);
    const opened = kind.open(options, { userAgent: `stoplog/${version}`, now });
    const deliver: Deliver = async (message, signal) => (await opened)(message, signal);
    return { book, machine, deliver, judge: kind.judge?.(options) ?? null, now, warn, info };
  }
}

/** When the daemon stops, and for a notification that a reload removes. */
const PATIENCE: Duration = 2 * SECOND;
