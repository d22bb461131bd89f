import { parseAddress } from "../../core/address.ts";
import { isDue } from "../../core/due.ts";
import { factOf } from "../../core/errors.ts";
import { hostPrefix } from "../../core/prefix.ts";
import { type Duration, type Instant, MINUTE, SECOND } from "../../core/time.ts";
import { ChangingPrefixes } from "../../jail/ignore.ts";
import type { Resolve } from "../name-lookup.ts";

/** A host name of `ignoreip`. Its last addresses stay while the resolver fails. */
export class IgnoredName {
  readonly addresses = new ChangingPrefixes();
  readonly remarks: readonly string[] = [];
  readonly bad = 0;
  failed = 0;
  trouble: string | null = null;
  readonly #name: string;
  #next: Instant = 0;
  #isAsked = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** Also when the clock was set back. */
  isDue(now: Instant): boolean {
    return !this.#isAsked && isDue(now, this.#next, RESOLVED_EVERY);
  }

  async lookUp(resolve: Resolve, now: Instant): Promise<void> {
    this.#isAsked = true;
    try {
      const answers = await resolve(this.#name);
      const found = answers.slice(0, MOST_ADDRESSES).flatMap(({ address }) => parseAddress(address) ?? []);
      if (found.length === 0) throw new Error("it has no address");
      this.addresses.replace(found.map(hostPrefix));
      this.trouble = null;
      this.#next = now + RESOLVED_EVERY;
    } catch (thrown) {
      this.failed++;
      this.trouble = `Cannot resolve ${this.#name} for ignoreip: ${factOf(thrown)}`;
      this.#next = now + RETRIED_AFTER;
    }
    this.#isAsked = false;
  }
}

/** As long as fail2ban remembers an answer. */
const RESOLVED_EVERY: Duration = 5 * MINUTE;
const RETRIED_AFTER: Duration = 30 * SECOND;
const MOST_ADDRESSES = 100;
