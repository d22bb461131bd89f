import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ENFORCER_KINDS } from "../../src/enforce/kinds.ts";

const root = fileURLToPath(new URL("../../src", import.meta.url));

/**
 * Files that may have the name of a kind of enforcer in quotes outside that kind's own folder: there the word means something else. A
 * file that needs a kind imports it and asks it.
 */
const OTHER_MEANINGS: Readonly<Record<string, string>> = {
  "demo/guard.ts": "a key in the output of `nft -j`",
  "enforce/log-rules/iptables-rules.ts": "the program",
  "enforce/nft-program/kind.ts": "the Debian package",
  "enforce/nft-program/read-listing.ts": "a key in the output of `nft -j`",
  "enforce/nft-set/kind.ts": "its spelling in the configuration",
  "enforce/nftables/kind.ts": "the program",
  "enforce/recent/rules.ts": "the program",
  "import/swabber/existing-bans.ts": "Swabber's word",
  "import/swabber/import-swabber.ts": "Swabber's word",
  "notify/command/kind.ts": "a kind of notifier",
  "offload/kernel/iptables-rules.ts": "the program",
  "source/": "a type of source",
};

const FOLDERS: Readonly<Record<string, string>> = { nft: "nft-program", "hosts.deny": "hosts-deny" };

describe("the kinds of enforcer", () => {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/\.(?:test|fixture|test-support)\.ts$/.test(file),
  );

  /** Kinds whose name a file outside of their folder has in quotes. */
  const named = (file: string): readonly string[] => {
    const text = readFileSync(join(root, file), "utf8");
    return ENFORCER_KINDS.map(({ name }) => name).filter(
      (name) =>
        !file.startsWith(`enforce/${FOLDERS[name] ?? name}/`) &&
        ["'", '"', "`"].some((quote) => text.includes(`${quote}${name}${quote}`)),
    );
  };
  const isOther = (file: string): boolean =>
    Object.keys(OTHER_MEANINGS).some(
      (other) => file === other || (other.endsWith("/") && file.startsWith(other)),
    );

  test("are named by no other file of src, so that one folder and one line add a kind", () => {
    const against = files
      .filter((file) => !isOther(file))
      .flatMap((file) => named(file).map((name) => `${file}: ${name}`));
    expect(against).toEqual([]);
  });

  test("have no exception that is not needed", () => {
    const needed = Object.keys(OTHER_MEANINGS).filter((other) =>
      files.some((file) => file.startsWith(other) && named(file).length > 0),
    );
    expect(needed).toEqual(Object.keys(OTHER_MEANINGS));
  });
});
