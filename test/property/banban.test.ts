import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Book } from "../../src/book/book.ts";
import type { Config } from "../../src/config/config.ts";
import { filterKey } from "../../src/config/filter-key.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { ManualClock } from "../../src/core/clock.ts";
import { formatPrefix } from "../../src/core/prefix.ts";
import { SECOND } from "../../src/core/time.ts";
import { buildJails } from "../../src/daemon/build-jails.ts";
import { buildWirings } from "../../src/daemon/build-wirings.ts";
import { NameLookup } from "../../src/daemon/name-lookup.ts";
import { Flow, type Wiring } from "../../src/daemon/pipeline.ts";
import { importBanban } from "../../src/import/banban/import-banban.ts";
import { Evidence } from "../../src/jail/evidence.ts";
import { OwnAddresses } from "../../src/jail/ignore.ts";
import { Offences } from "../../src/jail/offences.ts";
import { Trusted } from "../../src/jail/trusted.ts";
import { compileFilter } from "../../src/match/filter/filter.ts";
import { LOSS_FILTER } from "../../src/match/loss.ts";
import { runs } from "../support/budget.ts";

// What an imported configuration bans and unbans, line by line, beside a plain model of what banban does: good patterns first, then each
// blocktype by its first matching pattern, one history of times for each address, of which the last ten stay.

interface Blocktype {
  readonly name: string;
  readonly list: string;
  readonly minocc: number;
  /** Seconds. */
  readonly interval: number;
  readonly patterns: readonly string[];
}

interface Setting {
  readonly blocks: readonly Blocktype[];
  readonly good: readonly string[];
  /** Of the rule for each list. */
  readonly seconds: Readonly<Record<string, number>>;
}

interface Step {
  /** Seconds after the line before. */
  readonly wait: number;
  readonly address: string;
  readonly text: string;
  /** Whether the time is in the format of RFC 3339. */
  readonly iso: boolean;
}

const START = new Date(2026, 10, 20, 12).getTime();
const IGNORED = "203.0.113.99";

class Model {
  readonly #setting: Setting;
  readonly #history = new Map<string, number[]>();
  /** By list and address: the blocktype, and the end in seconds. */
  readonly blocked = new Map<string, { readonly by: string; readonly until: number }>();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  line(rest: string, now: number): void {
    const { good, blocks, seconds } = this.#setting;
    for (const [key, { until }] of this.blocked) if (until <= now) this.blocked.delete(key);
    for (const pattern of good) {
      const ip = new RegExp(pattern).exec(rest)?.groups?.["ip"];
      if (ip === undefined || ip === IGNORED) continue;
      for (const list of Object.keys(seconds)) this.blocked.delete(`${list} ${ip}`);
      this.#history.delete(ip);
    }
    for (const { name, list, minocc, interval, patterns } of blocks) {
      const ip = patterns.map((pattern) => new RegExp(pattern).exec(rest)?.groups?.["ip"]).find(Boolean);
      if (ip === undefined) continue;
      if (ip === IGNORED) return;
      const times = [...(this.#history.get(ip) ?? []), now];
      this.#history.set(ip, times.slice(-10));
      const isBlocked = this.blocked.has(`${list} ${ip}`);
      if (times.filter((time) => time > now - interval).length < minocc || isBlocked) continue;
      this.blocked.set(`${list} ${ip}`, { by: name, until: now + (seconds[list] ?? 0) });
    }
  }

  get state(): readonly string[] {
    return [...this.blocked].map(([key, { by, until }]) => `${key} by ${by} until ${until}`).sort();
  }
}

class Imported {
  readonly #clock = new ManualClock(START);
  readonly #book = new Book({ capacity: 1000, changes: 1000 });
  readonly #flow: Flow;

  static async of(setting: Setting): Promise<Imported> {
    const config = configOf(setting);
    const jails = buildJails(config, [], {
      own: new OwnAddresses(),
      trusted: new Trusted(10),
      offences: new Offences(10),
    });
    const filters = [...config.jails.flatMap(({ filter }) => filter ?? []), LOSS_FILTER];
    const compiled = new Map(filters.map((filter) => [filterKey(filter), compileFilter(filter).filter!]));
    const wirings = await buildWirings(config, jails, compiled);
    return new Imported(wirings.get("banban")!);
  }

  constructor(wiring: Wiring) {
    const parts = { book: this.#book, clock: this.#clock, names: new NameLookup(() => Promise.resolve([])) };
    this.#flow = new Flow(wiring, { ...parts, evidence: new Evidence({ lines: 10, bans: 10 }) });
  }

  line(rest: string, now: number, iso: boolean): void {
    this.#clock.advance(now * SECOND - this.#clock.now());
    this.#book.expire(this.#clock.now(), 1000);
    const bytes = Buffer.from(`${iso ? new Date(now * SECOND).toISOString() : bsdTime(now)} box ${rest}\n`);
    this.#flow.sink({ bytes, start: 0, end: bytes.length, backlog: false });
  }

  get state(): readonly string[] {
    return [...this.#book.bans()]
      .map(
        ({ target, prefix, jail, until }) =>
          `${target} ${formatPrefix(prefix)} by ${jail} until ${until / SECOND}`,
      )
      .sort();
  }
}

/** `Nov 20 12:00:00`, in local time. */
function bsdTime(now: number): string {
  const [, month, day, , time] = /^\w+ (\w+) (\d+) (\d+) ([\d:]+)/.exec(new Date(now * SECOND).toString())!;
  return `${month} ${day!.replace(/^0/, " ")} ${time}`;
}

function configOf(setting: Setting): Config {
  const rules = Object.entries(setting.seconds).map(
    ([list, seconds]) =>
      `-A INPUT -m recent --rcheck --seconds ${seconds} --name ${list} --mask 255.255.255.255 --rsource -j DROP\n`,
  );
  const { text } = importBanban(banbanText(setting), "banban.yml", rules.join(""));
  const { config, errors } = readConfig(text, "stoplog.yaml", {
    readFilter: () => ({ kind: "missing", known: [] }),
    stateDirectory: null,
  });
  if (config === null) throw new Error(errors.join("\n"));
  return config;
}

function banbanText({ blocks, good }: Setting): string {
  const list = (patterns: readonly string[], indent: string): string =>
    patterns.map((pattern) => `${indent}- '${pattern}'\n`).join("");
  const written = blocks.map(
    ({ name, list: target, minocc, interval, patterns }) =>
      `  ${name}:\n    target: ${target}\n    minocc: ${minocc}\n    interval: ${interval}\n    patterns:\n${list(patterns, "      ")}`,
  );
  const goodpatterns = good.length === 0 ? "" : `goodpatterns:\n${list(good, "  ")}`;
  return `socket: /run/banban\n${goodpatterns}ignorenets: [${IGNORED}/32]\nblocktypes:\n${written.join("")}`;
}

const PATTERNS = [
  String.raw`^shop\[\d+\]: bad coupon .*from (?<ip>[0-9a-f:.]+)$`,
  String.raw`shop\[\d+\]: bad coupon .* from (?<ip>[0-9a-f:.]+)$`,
  String.raw`door(?:man)?\[\d+\]: no entry for (?<ip>[0-9a-f:.]+) `,
  String.raw`: no (?:entry|way) for (?<ip>[^ ]+) again`,
];
const GOOD = [
  String.raw`shop\[\d+\]: order of (?<ip>[0-9a-f:.]+) paid`,
  String.raw`from (?<ip>[0-9a-f:.]+) friend$`,
];
const TEXTS = (ip: string): readonly string[] => [
  `shop[12]: bad coupon 'x' from ${ip}`,
  `shop[12]: bad coupon from ${ip}`,
  `doorman[9]: no entry for ${ip} again`,
  `door[9]: no entry for ${ip} today`,
  `door[9]: no way for ${ip} again`,
  `shop[12]: order of ${ip} paid; door[9]: no entry for ${ip} again`,
  `shop[12]: order of ${ip} paid`,
  `shop[12]: bad coupon from ${ip} friend`,
  `other[3]: nothing about ${ip}`,
];

const block = fc.record({
  list: fc.constantFrom("SOFT", "HARD"),
  minocc: fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.integer({ min: 0, max: 11 })),
  // Never equal to a difference of times, which are multiples of ten: at exactly that age banban and Stoplog differ.
  interval: fc.constantFrom(15, 65, 305, 3605),
  patterns: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
});
const setting: fc.Arbitrary<Setting> = fc.record({
  blocks: fc
    .array(block, { minLength: 1, maxLength: 4 })
    .map((list) => list.map((one, i) => ({ ...one, name: `block${i}` }))),
  good: fc.subarray(GOOD),
  seconds: fc.record({ SOFT: fc.constantFrom(20, 100), HARD: fc.constantFrom(60, 5000) }),
});
const step: fc.Arbitrary<Step> = fc
  .record({
    wait: fc.oneof(fc.constantFrom(0, 0, 10), fc.constantFrom(20, 60, 300, 4000)),
    address: fc.constantFrom("198.51.100.1", "198.51.100.1", "2001:db8::5", IGNORED),
    text: fc.nat(),
    iso: fc.boolean(),
  })
  .map(({ wait, address, text, iso }) => {
    const texts = TEXTS(address);
    return { wait, address, iso, text: texts[text % texts.length]! };
  });

describe("a configuration imported from banban", () => {
  it("bans and unbans the same addresses as banban, line by line", async () => {
    let bans = 0;
    await fc.assert(
      fc.asyncProperty(setting, fc.array(step, { minLength: 20, maxLength: 60 }), async (made, steps) => {
        const model = new Model(made);
        const imported = await Imported.of(made);
        let now = START / SECOND;
        for (const { wait, text, iso } of steps) {
          now += wait;
          model.line(text, now);
          imported.line(text, now, iso);
          expect(imported.state).toEqual(model.state);
          bans += model.state.length;
        }
      }),
      { numRuns: runs(120) },
    );
    expect(bans).toBeGreaterThan(300);
  }, 60_000);
});
