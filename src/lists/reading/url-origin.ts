import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { factOf } from "../../core/errors.ts";
import { type Duration, formatInstant, type Instant } from "../../core/time.ts";
import { fetchList, type ListAnswer, type Validators } from "./fetch-list.ts";
import { expiresIn, type Fetched, nextFetch } from "./fetch-schedule.ts";
import { type Kept, type KeptCopies, NOTHING_KEPT } from "./kept-copy.ts";
import type { ListOrigin, Offer, Taken } from "./origin.ts";

export interface UrlOptions {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly interval: Duration;
  readonly maxBytes: number;
  readonly userAgent: string;
}

/** A fetched list. The last good copy is offered first, for a start without a network. */
export class UrlOrigin implements ListOrigin {
  state = "not started";
  /** Failed fetches since the last success. */
  failures = 0;
  readonly #options: UrlOptions;
  readonly #copies: KeptCopies;
  readonly #warn: (fact: string) => void;
  readonly #unchanged: () => void;
  /** The validators of the version that is held back. A release makes them those of the list. */
  #heldValidators: Validators | null = null;

  /** `unchanged`: the server answers again, and the version in use is the newest. */
  constructor(
    options: UrlOptions,
    copies: KeptCopies,
    { warn, unchanged }: { readonly warn: (fact: string) => void; readonly unchanged: () => void },
  ) {
    this.#options = options;
    this.#copies = copies;
    this.#warn = warn;
    this.#unchanged = unchanged;
  }

  async run(offer: Offer, signal: AbortSignal): Promise<void> {
    const { name } = this.#options;
    const copy = this.#copies.path(name, "list");
    try {
      const kept = this.#kept();
      if (kept.url === this.#options.url && existsSync(copy)) {
        if ((await offer([copy])) === "refused")
          this.#keep({ ...kept, validators: NOTHING_KEPT.validators, next: 0 });
      }
      while (!signal.aborted) {
        const { next } = this.#kept();
        if (next > Date.now()) {
          this.state = `fetches ${this.#shown()} again at ${formatInstant(next) ?? ""}`;
          await sleep(Math.min(next - Date.now(), LONGEST_SLEEP), undefined, { signal });
        } else await this.#fetch(offer, signal);
      }
    } finally {
      this.state = "stopped";
    }
  }

  released(): void {
    const { name } = this.#options;
    if (this.#heldValidators === null) return;
    this.#copies.move(name, "held", "list");
    this.#keep({ ...this.#kept(), url: this.#options.url, validators: this.#heldValidators });
    this.#heldValidators = null;
  }

  async #fetch(offer: Offer, signal: AbortSignal): Promise<void> {
    const { name, url, headers, userAgent, maxBytes, interval } = this.#options;
    this.state = `fetches ${this.#shown()}`;
    const kept = this.#kept();
    const to = this.#copies.path(name, "new");
    // A copy of another URL must not be used for this one.
    const validators =
      kept.url === url && existsSync(this.#copies.path(name, "list"))
        ? kept.validators
        : NOTHING_KEPT.validators;
    const answer = await fetchList(
      { url, headers, userAgent, validators, to, maxBytes, timeout: TIMEOUT },
      signal,
    );
    const fetched = this.#outcome(answer);
    const next = nextFetch(Date.now(), fetched, interval);
    if (answer.kind === "fetched") await offer([to], (taken) => this.#settle(taken, answer.validators, next));
    else {
      this.#copies.remove(name, "new");
      // The current state, not that at the request: a version may have been released since.
      this.#keep({ ...this.#kept(), next });
    }
    if (answer.kind === "unchanged") this.#unchanged();
    if (answer.kind === "denied" || answer.kind === "unreached")
      this.#warn(`${answer.fact}; the previous version stays in use`);
  }

  #settle(taken: Taken, validators: Validators, next: Instant): void {
    const { name, url } = this.#options;
    const kept = this.#kept();
    if (taken === "taken") {
      this.#copies.move(name, "new", "list");
      this.#heldValidators = null;
      this.#keep({ ...kept, url, validators, next });
      return;
    }
    // Without validators: after a restart the list is fetched, and reported as held, again.
    this.#keep({ ...kept, next });
    // If this version cannot be read, the earlier one is still held.
    if (taken === "refused") return this.#copies.remove(name, "new");
    this.#heldValidators = validators;
    this.#copies.move(name, "new", "held");
  }

  #outcome(answer: ListAnswer): Fetched {
    switch (answer.kind) {
      case "unchanged":
      case "fetched": {
        this.failures = 0;
        const file = this.#copies.path(this.#options.name, answer.kind === "fetched" ? "new" : "list");
        return { kind: "answered", rules: answer.rules, expires: expiresIn(headOf(file)) };
      }
      case "denied":
        this.failures++;
        return { kind: "denied", retryAfter: answer.retryAfter };
      case "unreached":
        return { kind: "unreached", times: ++this.failures };
    }
  }

  #kept(): Kept {
    const kept = this.#copies.read(this.#options.name, Date.now());
    // A new URL is fetched at once.
    return kept.url === null || kept.url === this.#options.url ? kept : { ...kept, url: null, next: 0 };
  }

  #keep(kept: Kept): void {
    try {
      this.#copies.write(this.#options.name, kept);
    } catch (thrown) {
      this.#warn(`its state cannot be saved: ${factOf(thrown)}`);
    }
  }

  /** The URL without parts that may be secret. */
  #shown(): string {
    const { origin, pathname } = new URL(this.#options.url);
    return `${origin}${pathname}`;
  }
}

const TIMEOUT: Duration = 60_000;

/** Timers take at most 2^31 ms, and a machine may sleep. */
const LONGEST_SLEEP: Duration = 60 * 60 * 1000;

function headOf(path: string): string {
  const head = Buffer.alloc(4096);
  try {
    const fd = openSync(path, "r");
    try {
      return head.toString("latin1", 0, readSync(fd, head));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
