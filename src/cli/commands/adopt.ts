import { Argument, type Command } from "commander";
import type { OrdersAnswer, StatusReply } from "../../api/wire.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { FOREVER, formatInstant } from "../../core/time.ts";
import { counted } from "../../core/wording.ts";
import type { KnownBan, KnownBans } from "../../import/fail2ban/bans/known-ban.ts";
import type { Cli } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";
import { table } from "../output/terminal.ts";

interface AdoptOptions {
  readonly socket?: string;
  readonly db?: string;
  readonly client?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

/** What `adopt --json` prints. */
interface AdoptReport {
  readonly from: string;
  readonly bans: readonly Adopted[];
  /** Null with `--dry-run`. */
  readonly orders: Pick<OrdersAnswer, "done" | "nothing" | "held" | "refused" | "unreadable"> | null;
  readonly sentences: readonly string[];
}

interface Adopted {
  readonly address: string;
  readonly jail: string;
  readonly since: string | null;
  /** Null for a permanent ban, and where fail2ban's database does not say it. */
  readonly until: string | null;
  /** Over, and only remembered. */
  readonly isOver: boolean;
  readonly times: number;
}

export function defineAdopt(program: Command, cli: Cli): void {
  program
    .command("adopt")
    .description(
      "take over another program's active bans, with their ends, and how often it banned each address",
    )
    .addArgument(new Argument("<from>", "the program").choices(["fail2ban"]))
    .option("--db <file>", "fail2ban's database (default: /var/lib/fail2ban/fail2ban.sqlite3)")
    .option("--client", "ask a running fail2ban through its client instead: for one without a database")
    .option("--dry-run", "print the bans, and change nothing")
    .option("--json", "one JSON document: {from, bans, orders, sentences}")
    .action(
      cli.act(async (_: string, __: AdoptOptions, command: Command) => {
        const options = command.optsWithGlobals<AdoptOptions>();
        const now = Date.now();
        const { from, known } = await readBans(options);
        const orders = options.dryRun ? null : await send(known.bans, cli.socketPath(options));
        const report: AdoptReport = {
          from,
          bans: known.bans.map((ban) => adopted(ban, now)),
          orders,
          sentences: [...known.sentences, ...(orders?.sentences ?? [])],
        };
        if (options.json) await cli.json(report);
        else await cli.out.lines(reportLines(report, cli));
        return orders !== null && orders.refused + orders.unreadable + orders.held > 0 ? NEGATIVE : DONE;
      }),
    );
}

async function readBans({ db, client }: AdoptOptions): Promise<{ from: string; known: KnownBans }> {
  if (client) {
    const { askClient } = await import("../../import/fail2ban/bans/ask-client.ts");
    return { from: "fail2ban-client", known: await askClient() };
  }
  const path = db ?? DATABASE;
  const { readDatabase } = await import("../../import/fail2ban/bans/read-database.ts");
  return { from: path, known: await readDatabase(path) };
}

const DATABASE = "/var/lib/fail2ban/fail2ban.sqlite3";

function isOver(until: number | null, now: number): boolean {
  return until !== null && until <= now;
}

type Sent = NonNullable<AdoptReport["orders"]> & { readonly sentences: readonly string[] };

/** Gives the daemon the bans as orders, some hundred at a time: a request has a bound. */
async function send(bans: readonly KnownBan[], socket: string): Promise<Sent> {
  const { ask, askWithText } = await import("../control.ts");
  const { jails } = await ask<StatusReply>(socket, { method: "GET", path: "/v1/status" });
  const known = new Set(jails.map(({ name }) => name));
  const sum = { done: 0, nothing: 0, held: 0, refused: 0, unreadable: 0 };
  const sentences = unknownJails(bans, known);
  for (let i = 0; i < bans.length; i += AT_ONCE) {
    const lines = bans
      .slice(i, i + AT_ONCE)
      .map(orderLine)
      .join("\n");
    const answer = await askWithText<OrdersAnswer>(socket, "/v1/orders", lines);
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += answer[key];
    const about = (text: string): string =>
      text.replace(/^Line (\d+)/, (_, n: string) => nameOf(bans[i + Number(n) - 1]));
    sentences.push(...answer.sentences.map(about).slice(0, MOST_SENTENCES - sentences.length));
  }
  return { ...sum, sentences };
}

const AT_ONCE = 500;
const MOST_SENTENCES = 50;

function nameOf(ban: KnownBan | undefined): string {
  return ban === undefined ? "A ban" : formatPrefix(ban.prefix);
}

function unknownJails(bans: readonly KnownBan[], known: ReadonlySet<string>): string[] {
  const unknown = [...new Set(bans.map(({ jail }) => jail))].filter((jail) => !known.has(jail));
  return unknown.map(
    (jail) =>
      `jail ${printable(jail)} is not in Stoplog's configuration: its bans are enforced at the first target`,
  );
}

function orderLine({ prefix, jail, until, times }: KnownBan): string {
  return JSON.stringify({
    order: "ban",
    address: formatPrefix(prefix),
    jail,
    times,
    reason: `banned by fail2ban's jail ${jail}`,
    ...(until === null ? {} : until === FOREVER ? { duration: -1 } : { until: formatInstant(until) }),
  });
}

function adopted({ prefix, jail, since, until, times }: KnownBan, now: number): Adopted {
  return {
    address: formatPrefix(prefix),
    jail,
    since: formatInstant(since),
    until: until === null ? null : formatInstant(until),
    isOver: isOver(until, now),
    times,
  };
}

function* reportLines({ from, bans, orders, sentences }: AdoptReport, { style }: Cli): Generator<string> {
  if (orders === null && bans.length > 0)
    yield* table(
      ["ADDRESS", "JAIL", "UNTIL", "BANS"].map((heading) => ({ heading })),
      bans.map(({ address, jail, until, times, isOver: over }) => [
        address,
        printable(jail),
        over ? "over" : (until ?? "permanent"),
        String(times),
      ]),
      style,
    );
  for (const sentence of sentences) yield printable(sentence);
  const active = bans.filter((ban) => !ban.isOver).length;
  yield `${printable(from)}: ${counted(active, "active ban")}, ${counted(bans.length - active, "earlier ban")} remembered`;
  if (orders === null) return;
  const { done, nothing, held, refused, unreadable } = orders;
  const rest = [
    ...(nothing > 0 ? [`${nothing} with nothing to do`] : []),
    ...(held > 0 ? [`${held} held`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
  ];
  yield [`${counted(done, "ban")} adopted`, ...rest].join(", ");
}
