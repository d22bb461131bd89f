import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import { filterKey } from "../config/filter-key.ts";
import { good } from "../../test/support/read-config-text.ts";
import type { BanChange } from "../core/ban.ts";
import { ManualClock } from "../core/clock.ts";
import { formatPrefix } from "../core/prefix.ts";
import { DAY, HOUR, type Instant, SECOND } from "../core/time.ts";
import { Evidence } from "../jail/evidence.ts";
import { OwnAddresses } from "../jail/ignore.ts";
import { Offences } from "../jail/offences.ts";
import { Trusted } from "../jail/trusted.ts";
import { type CompiledFilter, compileFilter } from "../match/filter/filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import { buildJails } from "./build-jails.ts";
import { buildWirings } from "./build-wirings.ts";
import { NameLookup } from "./name-lookup.ts";
import { Flow } from "./pipeline.ts";
import { Replay } from "./replay.ts";

const CONFIG = `
sources: { log: { type: file, path: /var/log/nothing.log } }
defaults: { sources: log, findtime: 60s, bantime: 45s }
jails:
  plain: { filter: { failregex: ['fail <HOST>$'], goodregex: ['good <HOST>$'] }, maxretry: 3, ignoreip: [192.0.2.9] }
  again: { filter: { failregex: ['(?:fail|bad) <HOST>$'] }, maxretry: 4, increment: true }
  wide: { filter: { failregex: ['bad <HOST>$'] }, maxretry: 5, ipv6_prefix: 64, bantime: 20s }
  freed: { filter: { failregex: ['worse <HOST>$'], goodregex: ['better <HOST>$'] }, maxretry: 2, on_good: unban, trust_for: 30s }
`;

/** Seconds since the line before, and what it says. */
type Event = readonly [number, string];

const START = Date.UTC(2026, 11, 31, 23, 50);

const event: fc.Arbitrary<Event> = fc.tuple(
  fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 20 })),
  fc
    .tuple(
      fc.constantFrom("fail", "fail", "bad", "good", "worse", "better", "nothing"),
      fc.constantFrom("192.0.2.1", "192.0.2.2", "192.0.2.9", "2001:db8::1", "2001:db8::2"),
    )
    .map((words) => words.join(" ")),
);

function linesOf(
  events: readonly Event[],
  start: Instant = START,
  dated: (at: Instant) => string = (at) => new Date(at).toISOString(),
): { at: Instant; text: string }[] {
  let at = start;
  return events.map(([later, text]) => {
    at += later * SECOND;
    return { at, text: `${dated(at)} ${text}\n` };
  });
}

/** Three minutes before New York's clock goes back from 02:00 to 01:00. */
const AUTUMN = Date.UTC(2026, 10, 1, 5, 57);

/** The local time in New York, without a zone. */
function inNewYork(at: Instant): string {
  const offset = at < Date.UTC(2026, 10, 1, 6) ? 4 : 5;
  return new Date(at - offset * HOUR).toISOString().slice(0, 19).replace("T", " ");
}

/** Without expiry: the two notice it at different times. */
function changed(change: BanChange, at: Instant): string[] {
  if (change.kind === "lift" && change.by === "expiry") return [];
  const { prefix, jail, target, reason, since, until } = change.ban;
  return [`${at} ${change.kind} ${formatPrefix(prefix)} ${jail} ${target} ${reason} ${since} ${until}`];
}

function filtersOf({ jails }: Config): ReadonlyMap<string, CompiledFilter> {
  const definitions = [LOSS_FILTER, ...jails.flatMap(({ filter }) => filter ?? [])];
  return new Map(
    definitions.map((definition) => {
      const { filter, problems } = compileFilter(definition);
      if (filter === null) throw new Error(problems[0]?.fact);
      return [filterKey(definition), filter];
    }),
  );
}

/** The daemon's changes, line by line. */
async function live(config: Config, lines: ReturnType<typeof linesOf>): Promise<string[]> {
  const clock = new ManualClock(lines[0]?.at ?? START);
  const book = new Book({ capacity: 1000, changes: 1000 });
  const around = { own: new OwnAddresses(), trusted: new Trusted(100), offences: new Offences(100) };
  const jails = buildJails(config, [], around);
  const wirings = await buildWirings(config, jails, filtersOf(config));
  const parts = { book, evidence: new Evidence({ lines: 1, bans: 1 }), names: new NameLookup(), clock };
  const flow = new Flow(wirings.get("log")!, parts);
  const changes: string[] = [];
  let cursor = 0;
  for (const { at, text } of lines) {
    clock.set(at);
    book.expire(at, Number.POSITIVE_INFINITY);
    const bytes = Buffer.from(text);
    flow.sink({ bytes, start: 0, end: bytes.length, backlog: false });
    const catchup = book.feed.since(cursor);
    if (catchup.kind === "resync") throw new Error("more changes than the feed holds");
    changes.push(...catchup.changes.flatMap((change) => changed(change, at)));
    cursor = catchup.next;
  }
  return changes;
}

async function replayed(config: Config, lines: ReturnType<typeof linesOf>): Promise<string[]> {
  const changes: string[] = [];
  const replay = new Replay(config, START + 10 * DAY, (change, at) => changes.push(...changed(change, at)));
  const bytes = Buffer.from(lines.map(({ text }) => text).join(""));
  const half = bytes.length >> 1;
  await replay.read(
    (async function* () {
      yield bytes.subarray(0, half);
      yield bytes.subarray(half);
    })(),
    START,
  );
  return changes;
}

describe("Replay", () => {
  it("makes the same bans and unbans as the daemon, at the same times and for the same reasons", async () => {
    const config = good(CONFIG);
    let bans = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 120, size: "max" }), async (events) => {
        const lines = linesOf(events);
        const expected = await live(config, lines);
        expect(await replayed(config, lines)).toEqual(expected);
        bans += expected.length;
      }),
      { numRuns: 60 },
    );
    expect(bans).toBeGreaterThan(50);
  });

  it("bans as the daemon does in the hour that comes twice, from local times without a zone", async () => {
    const config = good(CONFIG.replace("nothing.log }", "nothing.log, timezone: America/New_York }"));
    let bans = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 120, size: "max" }), async (events) => {
        const expected = await live(config, linesOf(events, AUTUMN));
        const lines = linesOf(events, AUTUMN, inNewYork);
        expect(await live(config, lines)).toEqual(expected);
        expect(await replayed(config, lines)).toEqual(expected);
        bans += expected.length;
      }),
      { numRuns: 40 },
    );
    expect(bans).toBeGreaterThan(50);
  });

  it("bans from a log without times, at the time when it was last written", async () => {
    const config = good(CONFIG);
    const log = "worse 192.0.2.1\n".repeat(4);
    const changes: string[] = [];
    const replay = new Replay(config, START + DAY, (change, at) => changes.push(...changed(change, at)));
    await replay.read(chunksOf(log), START + HOUR);
    expect(changes).toEqual([
      `${START + HOUR} ban 192.0.2.1 freed default 2 failures in 1m ${START + HOUR} ${START + HOUR + 45 * SECOND}`,
    ]);
    expect([replay.undated, replay.undatedAtOnce, replay.span]).toEqual([4, 4, null]);
  });

  it("counts undated lines before the first time at that time", async () => {
    const replay = new Replay(good(CONFIG), START + DAY, () => undefined);
    const dated = linesOf([[0, "worse 192.0.2.1"]])[0]?.text ?? "";
    await replay.read(chunksOf(`worse 192.0.2.1\nworse 192.0.2.1\n${dated}worse 192.0.2.1\n`), START + HOUR);
    expect([replay.undated, replay.undatedAtOnce]).toEqual([3, 0]);
    expect(replay.span).toEqual({ from: START, to: START });
    expect(replay.jails.map(({ jail }) => jail.stats.bans)).toEqual([0, 0, 0, 1]);
  });

  it("takes a line for a cut one where a source of the configuration does", async () => {
    const line = `Dec 31 23:50:00 host app: ${"x".repeat(1000 - 40)} worse 192.0.2.1\n`;
    const bans = async (config: Config): Promise<number> => {
      const replay = new Replay(config, START + DAY, () => undefined);
      await replay.read(chunksOf(line.repeat(2)), START + HOUR);
      return replay.jails.reduce((sum, { jail }) => sum + jail.stats.bans, 0);
    };
    expect(await bans(good(CONFIG))).toBe(1);
    expect(await bans(good(CONFIG.replace("nothing.log }", "nothing.log, cut_lengths: [1024] }")))).toBe(0);
  });
});

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
