import type { Refusal } from "../enforcer.ts";
import { refused } from "../last-changes.ts";
import type { BanSet } from "../ruleset/names.ts";
import { type ElementChange, isUnban, lastOfEach } from "../ruleset/standing-sets.ts";
import type { NftProgram } from "./program.ts";
import { Script, type Time } from "./script.ts";

/** What strerror(3) says for ENOENT. */
export const GONE = "No such file or directory";

export interface ScriptOptions {
  readonly nft: NftProgram;
  readonly table: string;
  /** The bound of each set, for the message when it is reached. */
  readonly size: number;
  readonly time: Time;
}

/**
 * Applies changes, in scripts of a thousand. A script is all or nothing, and nft does not name the refused element: a refused script is
 * halved until the elements are found.
 */
export async function commitScripts(
  changes: readonly ElementChange[],
  options: ScriptOptions,
): Promise<{ readonly refusals: readonly Refusal[]; readonly gone: boolean }> {
  const commit = new ScriptCommit(options);
  for (let i = 0; i < changes.length; i += SCRIPT_ELEMENTS) {
    await commit.run(lastOfEach(changes.slice(i, i + SCRIPT_ELEMENTS)));
  }
  return commit;
}

/** Elements in one script: nft needs some 10 ms to start, and 25 µs for each element. */
const SCRIPT_ELEMENTS = 1000;

/** What strerror(3) says for ENFILE. */
const FULL = "Too many open files in system";

/** After this many refusals by a full set, further bans in it are refused without trying: each trial is a process. */
const FULL_AFTER = 8;

class ScriptCommit {
  readonly refusals: Refusal[] = [];
  gone = false;
  readonly #options: ScriptOptions;
  readonly #full = new Map<BanSet, number>();

  constructor(options: ScriptOptions) {
    this.#options = options;
  }

  async run(changes: readonly ElementChange[]): Promise<void> {
    const { nft, table, time } = this.#options;
    const tried = changes.filter((one) => {
      const full = (this.#full.get(one.set) ?? 0) >= FULL_AFTER && !isUnban(one.change, time.now);
      if (full) this.#note(one, FULL);
      return !full;
    });
    if (tried.length === 0) return;
    const script = new Script(table);
    script.elements(tried, time);
    const fault = await nft.run(script.text);
    if (fault === null) return;
    if (fault === GONE) this.gone = true;
    if (tried.length === 1 || this.gone) {
      for (const one of tried) this.#note(one, fault);
      return;
    }
    const middle = tried.length >>> 1;
    await this.run(tried.slice(0, middle));
    await this.run(tried.slice(middle));
  }

  #note({ set, change }: ElementChange, fault: string): void {
    const unbans = isUnban(change, this.#options.time.now);
    // A full set refuses the add before a delete. Then the element did not exist.
    if (fault === FULL && unbans) return;
    if (fault === FULL) this.#full.set(set, (this.#full.get(set) ?? 0) + 1);
    const one = { ...change, kind: unbans ? "unban" : "ban" } as const;
    const refusal =
      fault === FULL
        ? refused(one, `the set ${set.name} is full with ${this.#options.size} elements`, "full")
        : refused(one, fault);
    this.refusals.push(refusal);
  }
}
