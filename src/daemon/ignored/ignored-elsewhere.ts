import { type IgnoreFrom, ignoreText } from "../../config/ignoreip.ts";
import type { Config } from "../../config/config.ts";
import { LIMITS } from "../../core/limits.ts";
import { counter, declareMetrics, gauge } from "../../core/metrics.ts";
import { formatPrefix, type Prefix } from "../../core/prefix.ts";
import { sleep } from "../../core/sleep.ts";
import { type Duration, type Instant, SECOND } from "../../core/time.ts";
import type { Trouble } from "../../core/trouble.ts";
import type { ChangingPrefixes, NeverBanned } from "../../jail/ignore.ts";
import type { Settings, StatusFragment } from "../feature.ts";
import { askSystem, type Resolve } from "../name-lookup.ts";
import { IgnoredFile } from "./ignored-file.ts";
import { IgnoredName } from "./ignored-name.ts";

/** The names and files of `ignoreip`: names are resolved now and then, files are read when they change. */
export class IgnoredElsewhere {
  readonly #resolve: Resolve;
  readonly #now: () => Instant;
  /** By their text. */
  #all: ReadonlyMap<string, IgnoredName | IgnoredFile> = new Map();
  /** Texts of the top-level `ignoreip`. */
  #forAll: readonly string[] = [];
  #dropped = 0;
  /** Look-ups under way: a resolver that hangs must not take the threads that write the bans to disk. */
  #asked = 0;

  constructor(now: () => Instant, resolve: Resolve = askSystem) {
    this.#now = now;
    this.#resolve = resolve;
  }

  /** The first look-ups get a moment: what they allow is allowed from the first line on. */
  async follow({ config }: Settings): Promise<void> {
    const before = this.#all;
    const texts = new Map(fromsIn(config).map((from) => [ignoreText(from), from]));
    const used = [...texts].slice(0, LIMITS.ignoredSources.value);
    this.#dropped = texts.size - used.length;
    this.#all = new Map(used.map(([text, from]) => [text, before.get(text) ?? made(from)]));
    this.#forAll = (config.ignoreFrom ?? []).map(ignoreText);
    const fresh = used.flatMap(([text]) => (before.has(text) ? [] : [this.#all.get(text)]));
    for (const one of fresh) if (one instanceof IgnoredFile) one.look();
    const names = fresh.filter((one) => one instanceof IgnoredName);
    if (names.length > 0) await Promise.race([this.#lookUp(names), sleep(PATIENCE)]);
  }

  /** The addresses of these names and files, as they change. */
  sets(froms: readonly IgnoreFrom[] = []): readonly NeverBanned[] {
    return froms.flatMap((from) => this.#all.get(ignoreText(from))?.addresses ?? []);
  }

  /** All that names and files give now, with these. */
  get texts(): readonly string[] {
    return [...this.#all].map(
      ([text, { addresses }]) => `${text} ${[...addresses.values()].map(formatPrefix).join(" ")}`,
    );
  }

  /** Those of the top-level `ignoreip`, which no jail bans. */
  setsForAll(): readonly ChangingPrefixes[] {
    return this.#forAll.flatMap((text) => this.#all.get(text)?.addresses ?? []);
  }

  *forAll(): Generator<Prefix> {
    for (const set of this.setsForAll()) yield* set.values();
  }

  tick(now: Instant): void {
    const all = [...this.#all.values()];
    for (const one of all) if (one instanceof IgnoredFile) one.look();
    const due = all.filter((one) => one instanceof IgnoredName).filter((one) => one.isDue(now));
    void this.#lookUp(due.slice(0, MOST_ASKED - this.#asked));
  }

  status(): StatusFragment {
    const all = [...this.#all.values()];
    const sum = (of: (one: IgnoredName | IgnoredFile) => number): number =>
      all.reduce((total, one) => total + of(one), 0);
    return {
      ignoreip: {
        addresses: sum(({ addresses }) => [...addresses.values()].length),
        failed: sum(({ failed }) => failed),
        bad: sum(({ bad }) => bad),
        dropped: this.#dropped,
      },
    };
  }

  *troubles(): Generator<Trouble> {
    for (const [text, { trouble }] of this.#all)
      if (trouble !== null) yield { of: `ignoreip ${text}`, sentence: trouble };
  }

  *warnings(): Generator<string> {
    for (const { remarks } of this.#all.values()) yield* remarks;
    if (this.#dropped > 0)
      yield `ignoreip has more than ${LIMITS.ignoredSources.value} names and files: the last ${this.#dropped} are not used`;
  }

  /** One after the other. */
  async #lookUp(names: readonly IgnoredName[]): Promise<void> {
    if (names.length === 0) return;
    this.#asked++;
    for (const name of names) await name.lookUp(this.#resolve, this.#now());
    this.#asked--;
  }
}

/** The first look-ups delay a start no longer than this. */
const PATIENCE: Duration = 3 * SECOND;
const MOST_ASKED = 2;

function fromsIn({ ignoreFrom = [], jails }: Config): readonly IgnoreFrom[] {
  return [...ignoreFrom, ...jails.flatMap((jail) => jail.ignoreFrom ?? [])];
}

function made(from: IgnoreFrom): IgnoredName | IgnoredFile {
  return from.kind === "name" ? new IgnoredName(from.name) : new IgnoredFile(from.path);
}

declareMetrics(
  { at: "ignoreip" },
  {
    addresses: gauge(
      "stoplog_ignored_addresses",
      "Addresses and networks that the names and files of ignoreip give now.",
    ),
    failed: counter(
      "stoplog_ignored_failed_total",
      "Failed look-ups of names, and failed reads of files, of ignoreip. The addresses of before stay.",
    ),
    bad: gauge("stoplog_ignored_bad", "Entries of the files of ignoreip that cannot be used."),
    dropped: gauge(
      "stoplog_ignored_dropped",
      "Names and files of ignoreip that are too many, and are not used.",
    ),
  },
);
