import type { LogRule } from "./log-rule.ts";
import type { LogTable } from "./log-table.ts";

/** Keeps the rules in the kernel that log packets for us: they change with the configuration only. */
export class InstalledRules {
  readonly #open: () => Promise<LogTable>;
  #table: LogTable | null = null;
  #rules: readonly LogRule[] = [];
  /** Whether the kernel had the rules once, so that their absence is a loss. */
  #installed = false;
  #complete = true;

  /** Loads what speaks to the kernel only when there are rules. */
  constructor(open: () => Promise<LogTable> = async () => (await import("./log-table.ts")).logTable()) {
    this.#open = open;
  }

  /** Gives the kernel exactly these rules. Rejects with a StoplogError; `repair` tries again. */
  async replace(rules: readonly LogRule[]): Promise<void> {
    if (this.#complete && JSON.stringify(rules) === JSON.stringify(this.#rules)) return;
    this.#rules = rules;
    this.#installed = false;
    await this.#install();
  }

  /** Installs the rules again when another program deleted some of them, or when `replace` failed. Answers whether they were lost. */
  async repair(): Promise<boolean> {
    if (this.#complete) return false;
    const wereLost = this.#installed;
    await this.#install();
    return wereLost;
  }

  /** Deletes the rules: nothing reads the group any more. */
  async remove(): Promise<void> {
    await this.replace([]);
  }

  async #install(): Promise<void> {
    this.#complete = false;
    if (this.#rules.length === 0) {
      this.#table?.delete();
      this.#table = null;
      this.#installed = false;
    } else {
      this.#table ??= await this.#open();
      await this.#table.create(this.#rules, () => (this.#complete = false));
      this.#installed = true;
    }
    this.#complete = true;
  }
}
