import type { Command } from "commander";
import type { ListedBan } from "../../api/wire.ts";
import { comparePrefixes, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { FOREVER } from "../../core/time.ts";
import type { Cli } from "../cli.ts";
import { DONE } from "../output/io.ts";
import { jsonText, printable } from "../../core/printable.ts";
import { table } from "../output/terminal.ts";
import { durationWords } from "../../core/wording.ts";

interface ListOptions {
  readonly socket?: string;
  readonly json?: true;
}

export function defineList(program: Command, cli: Cli): void {
  program
    .command("list")
    .description("active bans with the time left, jail and reason")
    .option(
      "--json",
      "one JSON document: {address, jail, target, reason, since, until, origin, enforced, trouble}[]",
    )
    .action(
      cli.act(async (_: ListOptions, command: Command) => {
        const { askForLines } = await import("../control.ts");
        const options = command.optsWithGlobals<ListOptions>();
        const bans = await inOrder(askForLines<ListedBan>(cli.socketPath(options), "/v1/bans"));
        await cli.out.lines(options.json ? jsonLines(bans) : banLines(bans, cli, Date.now()));
        return DONE;
      }),
    );
}

/** Sorts bans by address. There may be a million: words that recur are kept once. */
async function inOrder(answer: AsyncIterable<readonly ListedBan[]>): Promise<readonly ListedBan[]> {
  const words = new Map<string, string>();
  const once = (word: string): string => words.get(word) ?? (words.set(word, word), word);
  const bans: { readonly prefix: Prefix | null; readonly ban: ListedBan }[] = [];
  for await (const some of answer) {
    for (const { address, jail, target, reason, since, until, origin, enforced, trouble } of some) {
      const ban = {
        address,
        jail: once(jail),
        target: once(target),
        reason: once(reason),
        since,
        until,
        origin: once(origin),
        enforced,
        trouble: trouble === null ? null : once(trouble),
      };
      bans.push({ prefix: parsePrefix(address), ban });
    }
  }
  return bans.sort((a, b) => byAddress(a.prefix, b.prefix)).map(({ ban }) => ban);
}

/** What is not an address comes last. */
function byAddress(a: Prefix | null, b: Prefix | null): number {
  return a === null || b === null ? Number(a === null) - Number(b === null) : comparePrefixes(a, b);
}

/** One ban a line, so that a long list streams, and so that `grep` still finds something in it. */
function* jsonLines(bans: readonly ListedBan[]): Generator<string> {
  if (bans.length === 0) yield "[]";
  for (const [i, ban] of bans.entries()) {
    yield `${i === 0 ? "[" : ""}${jsonText(ban, 0)}${i === bans.length - 1 ? "]" : ","}`;
  }
}

function banLines(bans: readonly ListedBan[], { style }: Cli, now: number): Iterable<string> {
  if (bans.length === 0) return ["No active bans"];
  return table(COLUMNS, { [Symbol.iterator]: () => rows(bans, now) }, style);
}

const COLUMNS = [
  { heading: "ADDRESS" },
  { heading: "JAIL" },
  { heading: "TARGET" },
  { heading: "LEFT", right: true },
  { heading: "REASON" },
] as const;

function* rows(bans: readonly ListedBan[], now: number): Generator<readonly string[]> {
  for (const ban of bans) {
    yield [
      printable(ban.address),
      printable(ban.jail) || "-",
      printable(ban.target),
      leftWords(ban, now),
      `${printable(ban.reason)}${standingWords(ban)}`,
    ];
  }
}

/** `; not enforced: the set is full`; nothing for a ban that is enforced, and in a dry run. */
function standingWords({ enforced, trouble }: ListedBan): string {
  if (trouble === null) return "";
  return `; ${enforced === null ? "perhaps not enforced" : "not enforced"}: ${printable(trouble)}`;
}

/** The time left of a ban: '3m 12s', 'permanent'. */
export function leftWords(ban: Pick<ListedBan, "until">, now: number): string {
  return durationWords(ban.until === null ? FOREVER : Date.parse(ban.until) - now);
}
