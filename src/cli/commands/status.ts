import type { Command } from "commander";
import type { StatusReply } from "../../api/wire.ts";
import { SECOND } from "../../core/time.ts";
import type { Cli } from "../cli.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";
import { type Style, table } from "../output/terminal.ts";
import { bytesWords, counted, countWords, durationWords, rateWords } from "../../core/wording.ts";

interface StatusOptions {
  readonly socket?: string;
  readonly json?: true;
}

export function defineStatus(program: Command, cli: Cli): void {
  program
    .command("status")
    .description("sources, jails, rates, lag, losses and bans; exit status 1 if something does not work")
    .argument("[jail]", "only this jail, with every counter")
    .option("--json", "one JSON document")
    .action(
      cli.act(async (jail: string | undefined, _: StatusOptions, command: Command) => {
        const { ask } = await import("../control.ts");
        const options = command.optsWithGlobals<StatusOptions>();
        const path = jail === undefined ? "/v1/status" : `/v1/status/${encodeURIComponent(jail)}`;
        const reply = await ask<StatusReply>(cli.socketPath(options), { method: "GET", path });
        if (options.json) await cli.json(reply);
        else
          await cli.out.lines(statusLines(reply, { style: cli.style, now: Date.now(), only: jail ?? null }));
        return reply.state === "healthy" || jail !== undefined ? DONE : NEGATIVE;
      }),
    );
}

export interface StatusView {
  readonly style: Style;
  readonly now: number;
  /** Only this jail; null for all. */
  readonly only: string | null;
}

export function* statusLines(reply: StatusReply, view: StatusView): Generator<string> {
  const { style } = view;
  if (view.only !== null) {
    for (const jail of reply.jails) yield* jailLines(jail, style);
    return;
  }
  yield headline(reply, view);
  for (const trouble of reply.troubles) yield style.red(`! ${printable(trouble)}`);
  if (reply.dryRun) yield style.yellow("Dry run: nothing is enforced");
  yield* warningLines(reply, style);
  if (reply.imported !== null) yield* importedLines(reply.imported);
  yield "";
  yield bookLine(reply);
  if (reply.allows.orders > 0) yield allowsLine(reply, view);
  for (const enforcer of reply.enforcers) yield enforcerLine(enforcer, style);
  yield "";
  yield* table(SOURCE_COLUMNS, reply.sources.map(sourceRow), style);
  yield "";
  yield* table(JAIL_COLUMNS, reply.jails.map(jailRow), style);
  if (reply.lists.length > 0) {
    yield "";
    yield* table(
      LIST_COLUMNS,
      reply.lists.map((list) => listRow(list, view.now)),
      style,
    );
  }
  if (reply.notify.length > 0) {
    yield "";
    yield* table(NOTIFY_COLUMNS, reply.notify.map(notifyRow), style);
  }
}

type SourceStatus = StatusReply["sources"][number];
type JailStatus = StatusReply["jails"][number];
type ListStatus = StatusReply["lists"][number];
type NotifyStatus = StatusReply["notify"][number];
type EnforcerStatus = StatusReply["enforcers"][number];

function headline(reply: StatusReply, { style, now }: StatusView): string {
  const facts = [
    reply.state === "degraded" ? style.red(reply.state) : reply.state,
    `up ${durationWords(now - Date.parse(reply.since))}`,
    `pid ${reply.pid}`,
    bytesWords(reply.memoryBytes),
    printable(reply.imported?.folder ?? reply.config ?? "built-in configuration"),
  ];
  return `${style.bold(`stoplog ${printable(reply.version)}`)}  ${facts.join(", ")}`;
}

function* warningLines(reply: StatusReply, style: Style): Generator<string> {
  const advice = reply.warnings.filter((warning) => !reply.troubles.includes(warning));
  for (const warning of advice) yield style.yellow(`! ${printable(warning)}`);
}

/** What works differently from fail2ban. */
function* importedLines({ folder, differences }: NonNullable<StatusReply["imported"]>): Generator<string> {
  yield `From ${printable(folder)}, with ${counted(differences.length, "difference")}:`;
  for (const sentence of differences.slice(0, MOST_DIFFERENCES)) yield `  ${printable(sentence)}`;
  const more = differences.length - MOST_DIFFERENCES;
  if (more > 0) yield `  and ${more} more (stoplog status --json)`;
}

const MOST_DIFFERENCES = 20;

function bookLine({ book }: StatusReply): string {
  const troubles = [
    book.evicted > 0 ? `${countWords(book.evicted)} ended early to make room` : "",
    book.refused > 0 ? `${countWords(book.refused)} refused, the book is full` : "",
  ].filter((trouble) => trouble !== "");
  return [`${counted(book.bans, "ban")}, at most ${countWords(book.capacity)}`, ...troubles].join("; ");
}

/** What is spared by order: a permanent order stands out. */
function allowsLine({ allows: { orders, newest } }: StatusReply, { style, now }: StatusView): string {
  const shown = newest.slice(0, SHOWN_ALLOWS).map(({ address, until, origin }) => {
    const time = until === null ? "permanently" : `for ${durationWords(Date.parse(until) - now)}`;
    const text = `${printable(address)} ${time} by ${printable(origin)}`;
    return until === null ? style.yellow(text) : text;
  });
  const more = orders > shown.length ? `; ${countWords(orders - shown.length)} more` : "";
  return `Never banned by order: ${shown.join("; ")}${more}`;
}

const SHOWN_ALLOWS = 5;

function enforcerLine(enforcer: EnforcerStatus, style: Style): string {
  const { kind, state, applied, refused, resyncs, trouble } = enforcer;
  const facts = [`${printable(kind)}: ${printable(state)}`, `${countWords(applied)} applied`];
  if (refused > 0) facts.push(style.red(`${countWords(refused)} refused`));
  if (resyncs > 0) facts.push(counted(resyncs, "resync"));
  if (trouble !== null) facts.push(style.yellow(printable(trouble)));
  return facts.join("; ");
}

const SOURCE_COLUMNS = [
  { heading: "SOURCE" },
  { heading: "KIND" },
  { heading: "LINES/S", right: true },
  { heading: "BYTES/S", right: true },
  { heading: "LAG", right: true },
  { heading: "WAITING", right: true },
  { heading: "CUT", right: true },
  { heading: "SHED", right: true },
  { heading: "STATE" },
] as const;

function sourceRow(source: SourceStatus): readonly string[] {
  return [
    printable(source.name),
    printable(source.kind),
    rateWords(source.linesPerSecond),
    bytesWords(source.bytesPerSecond),
    lagWords(source.lag),
    waitingWords(source),
    countWords(source.cut),
    shedWords(source),
    printable(source.state),
  ];
}

/** With a decimal: a fraction of a second matters. */
function lagWords(lag: number | null): string {
  if (lag === null) return "-";
  return lag < 60 ? `${lag.toFixed(1)}s` : durationWords(lag * SECOND);
}

/** Unread bytes; in brackets the part that newer input has overtaken. */
function waitingWords({ waitingBytes, laterBytes }: SourceStatus): string {
  return laterBytes === 0
    ? bytesWords(waitingBytes)
    : `${bytesWords(waitingBytes)} (${bytesWords(laterBytes)} later)`;
}

/** Lines dropped whole, and bytes never looked at. */
function shedWords({ shed, shedBytes }: SourceStatus): string {
  return shedBytes === 0 ? countWords(shed) : `${countWords(shed)} + ${bytesWords(shedBytes)}`;
}

const JAIL_COLUMNS = [
  { heading: "JAIL" },
  { heading: "FILTER" },
  { heading: "SOURCES" },
  { heading: "RULE" },
  { heading: "FAILURES", right: true },
  { heading: "COUNTING", right: true },
  { heading: "BANS", right: true },
  { heading: "BANNED NOW", right: true },
  { heading: "TARGET" },
] as const;

function jailRow(jail: JailStatus): readonly string[] {
  return [
    printable(jail.name),
    printable(jail.filter ?? "packets"),
    printable(jail.sources.length === 0 ? "the kernel" : jail.sources.join(" ")),
    rule(jail),
    countWords(jail.failures),
    countWords(jail.addresses),
    countWords(jail.bans),
    countWords(jail.banned),
    printable(jail.target),
  ];
}

/** What the kernel did for the jail. */
function kernelRows({
  stopped,
  waiting,
  full,
  uncounted,
}: NonNullable<JailStatus["kernel"]>): (readonly [string, string])[] {
  return [
    ["stopped by kernel", countWords(stopped)],
    ["  bans to adopt", countWords(waiting)],
    ["  no room to ban", countWords(full)],
    ["  no room to count", countWords(uncounted)],
  ];
}

const LIST_COLUMNS = [
  { heading: "LIST" },
  { heading: "VERDICT" },
  { heading: "NETWORKS", right: true },
  { heading: "PACKETS", right: true },
  { heading: "LEFT OUT", right: true },
  { heading: "CHANGED", right: true },
  { heading: "STATE" },
] as const;

function listRow(list: ListStatus, now: number): readonly string[] {
  return [
    printable(list.name),
    printable(list.verdict),
    countWords(list.networks),
    countWords(list.packets),
    countWords(list.malformed + list.wide + list.over + list.takenOut),
    list.changedAt === null ? "-" : `${durationWords(now - Date.parse(list.changedAt))} ago`,
    printable(list.held === null ? list.state : `held back: ${list.held}`),
  ];
}

const NOTIFY_COLUMNS = [
  { heading: "NOTIFY" },
  { heading: "TYPE" },
  { heading: "SENT", right: true },
  { heading: "FAILED", right: true },
  { heading: "WAITING", right: true },
  { heading: "DROPPED", right: true },
  { heading: "STATE" },
] as const;

/** Messages sent and failed; changes waiting and dropped. */
function notifyRow(one: NotifyStatus): readonly string[] {
  return [
    printable(one.name),
    one.type,
    countWords(one.sent),
    countWords(one.failed),
    countWords(one.waiting),
    countWords(one.dropped),
    one.lastTrouble === null ? "ready" : printable(one.lastTrouble),
  ];
}

function rule(jail: JailStatus): string {
  const time = jail.bantime === "-1" ? "permanent" : `for ${printable(jail.bantime)}`;
  const most = jail.kernel?.connlimit ?? null;
  if (most !== null) return `more than ${most} connections, ${time}`;
  return `${jail.maxretry} in ${printable(jail.findtime)}, ${time}`;
}

function* jailLines(jail: JailStatus, style: Style): Generator<string> {
  const rows: readonly (readonly [string, string])[] = [
    ["filter", printable(jail.filter ?? "packets")],
    ["sources", printable(jail.sources.length === 0 ? "the kernel" : jail.sources.join(" "))],
    ["rule", rule(jail)],
    ["target", printable(jail.target)],
    ...JAIL_COUNTERS.map(([key, name]) => [name, countWords(jail[key])] as const),
    ...furtherCounters(jail),
    ...(jail.kernel === null ? [] : kernelRows(jail.kernel)),
  ];
  yield style.bold(printable(jail.name));
  for (const [name, value] of rows) yield `  ${name.padEnd(20)}${value}`;
}

/** In this order, each with its words. */
const JAIL_COUNTERS = [
  ["banned", "banned now"],
  ["bans", "bans so far"],
  ["failures", "failures"],
  ["counted", "  counted"],
  ["alreadyBanned", "  already banned"],
  ["afterBan", "    after the ban"],
  ["notEnforced", "  ban not enforced"],
  ["allowListed", "  allow-listed"],
  ["ownAddress", "  own address"],
  ["impossible", "  impossible address"],
  ["trusted", "  trusted"],
  ["stale", "  stale"],
  ["spared", "bans spared"],
  ["good", "good lines"],
  ["unforgiven", "  that forgave nothing"],
  ["addresses", "counting addresses"],
  ["forgotten", "forgotten early"],
  ["capped", "bans put off"],
] as const satisfies readonly (readonly [keyof JailStatus, string])[];

/** Counters that have no words of their own here are shown by their key: `forgottenOffenders` as 'forgotten offenders'. */
function furtherCounters(jail: JailStatus): (readonly [string, string])[] {
  const known: ReadonlySet<string> = new Set(["maxretry", ...JAIL_COUNTERS.map(([key]) => key)]);
  return Object.entries(jail).flatMap(([key, value]: [string, unknown]) =>
    typeof value !== "number" || known.has(key)
      ? []
      : [
          [
            printable(key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)),
            countWords(value),
          ] as const,
        ],
  );
}
