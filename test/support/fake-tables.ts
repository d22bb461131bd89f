import type { Tables } from "../../src/enforce/iptables/tables.ts";

/**
 * The filter table of one family in memory, as iptables-save shows it and iptables-restore --noflush changes it: all lines or none.
 * Tests of what is written need neither root nor the programs.
 */
export class FakeTables implements Tables {
  /** Rules by chain, without their `-A CHAIN`; those of the kernel come first. */
  #chains: Map<string, readonly string[]>;
  /** The lines of every restore that was accepted. */
  readonly written: (readonly string[])[] = [];

  constructor() {
    this.#chains = new Map([
      ["INPUT", []],
      ["FORWARD", []],
      ["OUTPUT", []],
    ]);
  }

  rulesOf(chain: string): readonly string[] | undefined {
    return this.#chains.get(chain);
  }

  async save(): Promise<string> {
    const names = [...this.#chains.keys()];
    const policies = names.map((name) => `:${name} ${BUILT_IN.has(name) ? "ACCEPT" : "-"} [0:0]`);
    const rules = names.flatMap((name) => (this.#chains.get(name) ?? []).map((rule) => `-A ${name} ${rule}`));
    return ["*filter", ...policies, ...rules, "COMMIT", ""].join("\n");
  }

  generation(): null {
    return null;
  }

  close(): void {}

  async restore(lines: readonly string[]): Promise<string | null> {
    const next = new Map(this.#chains);
    for (const [i, line] of lines.entries()) {
      if (!change(next, line)) return `line ${i + 1} failed: ${line}`;
    }
    this.#chains = next;
    this.written.push(lines);
    return null;
  }
}

const BUILT_IN = new Set(["INPUT", "FORWARD", "OUTPUT"]);

/** Carries out one line of iptables-restore; answers false when the program would refuse it. */
function change(chains: Map<string, readonly string[]>, line: string): boolean {
  const declared = /^:(\S+) - \[0:0\]$/.exec(line)?.[1];
  // A chain that is declared again is emptied.
  if (declared !== undefined) return chains.set(declared, []).size > 0;
  const [, command = "", chain = "", rest = ""] = /^-([AIDFX]) (\S+)(?: (.*))?$/.exec(line) ?? [];
  const rules = chains.get(chain);
  if (rules === undefined) return false;
  const target = / -j (stoplog\S*)$/.exec(rest)?.[1];
  if ("AI".includes(command) && target !== undefined && !chains.has(target)) return false;
  switch (command) {
    case "A":
      return chains.set(chain, [...rules, saved(rest)]).size > 0;
    case "I":
      return rest.startsWith("1 ") && chains.set(chain, [saved(rest.slice(2)), ...rules]).size > 0;
    case "D": {
      const place = /^\d+$/.test(rest) ? Number(rest) - 1 : rules.indexOf(saved(rest));
      return rules[place] !== undefined && chains.set(chain, rules.toSpliced(place, 1)).size > 0;
    }
    case "F":
      return chains.set(chain, []).size > 0;
    case "X": {
      const inUse = [...chains.values()].flat().some((rule) => rule.endsWith(` -j ${chain}`));
      return rules.length === 0 && !inUse && chains.delete(chain);
    }
    default:
      return false;
  }
}

/** iptables-save writes the length of a single address, too. */
function saved(rule: string): string {
  return rule.replace(
    /^-s ([0-9a-f.:]+) /,
    (_, address: string) => `-s ${address}/${address.includes(":") ? 128 : 32} `,
  );
}
