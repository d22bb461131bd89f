import { cannot } from "../../core/errors.ts";
import { execute } from "../execute.ts";

/** Runs `nft`, without a shell. The script goes to its standard input. */
export interface NftProgram {
  /** Null when the script was applied, else the first error that nft prints. */
  run(script: string): Promise<string | null>;
  /** The same answer, but nothing is changed. */
  check(script: string): Promise<string | null>;
  /** The ruleset of family inet without the elements of its sets: nft 1.0.6 reads them for any narrower list. Empty when nft fails. */
  ruleset(): Promise<string>;
  /** The JSON that `nft -j ARGS` prints, parsed; null when nft fails, as for a set that does not exist. */
  read(args: readonly string[]): Promise<unknown>;
}

export function nftProgram(path = "nft"): NftProgram {
  const run = async (args: readonly string[], script: string): Promise<string | null> => {
    const { status, stderr } = await execute(path, args, script);
    return status === 0 ? null : firstFact(stderr);
  };
  return {
    run: (script) => run(["-f", "-"], script),
    check: (script) => run(["-c", "-f", "-"], script),
    async ruleset() {
      const { status, stdout } = await execute(path, ["-s", "-t", "list", "ruleset", "inet"], "");
      return status === 0 ? stdout : "";
    },
    async read(args) {
      const { status, stdout } = await execute(path, ["-j", ...args], "");
      if (status !== 0) return null;
      try {
        return JSON.parse(stdout) as unknown;
      } catch (thrown) {
        throw cannot("read what nft prints", thrown);
      }
    },
  };
}

/** nft prints 'Error: Could not process rule: FACT' or '/dev/stdin:1:5-9: Error: FACT', then the place. */
export function firstFact(stderr: string): string {
  const line = stderr.split("\n").find((text) => text.includes("Error: ") || text.trim() !== "") ?? "";
  const fact = line.replace(/^.*Error: /, "").replace(/^Could not process rule: /, "");
  return fact === "" ? "nft failed and did not say why" : fact.slice(0, 300);
}
