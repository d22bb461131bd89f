import { logRulesOf } from "../config/log-rules.ts";
import { factOf } from "../core/errors.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import { InstalledRules } from "../enforce/log-rules/installed-rules.ts";
import { Every } from "./every.ts";
import type { Feature, Settings } from "./feature.ts";

/** The kernel's rules that log packets to sources of type nflog with `install`. A kernel that refuses them does not keep the rest from working. */
export class LogRules implements Feature {
  readonly name = "the rules that log packets";
  readonly #dryRun: boolean;
  readonly #warn: (sentence: string) => void;
  readonly #rules = new InstalledRules();
  readonly #check = new Every(10 * SECOND);
  #trouble: string | null = null;

  constructor(dryRun: boolean, warn: (sentence: string) => void) {
    this.#dryRun = dryRun;
    this.#warn = warn;
  }

  async follow({ config }: Settings): Promise<void> {
    const rules = this.#dryRun ? [] : logRulesOf(config, { installed: true });
    this.#trouble = null;
    await this.#rules.replace(rules).catch((error: unknown) => (this.#trouble = factOf(error)));
  }

  /** The kernel does not report when rules are removed. */
  tick(now: Instant): void {
    if (this.#check.isDue(now)) void this.#repair();
  }

  troubles(): readonly Trouble[] {
    return this.#trouble === null ? [] : [{ of: "the logging of packets", sentence: this.#trouble }];
  }

  async close(): Promise<void> {
    await this.#rules.remove();
  }

  async #repair(): Promise<void> {
    try {
      if (await this.#rules.repair())
        this.#warn("The rules that log packets were gone and are installed again");
      this.#trouble = null;
    } catch (error) {
      this.#trouble = factOf(error);
    }
  }
}
