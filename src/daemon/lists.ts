import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StatusReply, WhyReply } from "../api/wire.ts";
import type { Config, ListConfig } from "../config/config.ts";
import type { Address } from "../core/address.ts";
import { factOf } from "../core/errors.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import { type Duration, formatInstant, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Hits } from "../kernel/nftables/counters.ts";
import { ListSets } from "../lists/kernel/list-sets.ts";
import type { Log } from "../observe/log.ts";
import { AddressList, type ListNews, type Reading } from "../lists/reading/address-list.ts";
import { tellTakenOut } from "../lists/reading/check-list.ts";
import { KeptCopies } from "../lists/reading/kept-copy.ts";
import { type Exempt, SPECIAL_PURPOSE } from "../lists/reading/special-purpose.ts";
import { ownPrefixes } from "./own-addresses.ts";
import { counter, declareMetrics, derivedGauge, gauge, type NumberMetric } from "../core/metrics.ts";

export interface ListsDeps {
  readonly log: Log;
  /** As `log.warn`, but held to a rate. */
  readonly warn: (sentence: string) => void;
  readonly version: string;
  readonly dryRun: boolean;
}

interface Running {
  readonly config: ListConfig;
  readonly list: AddressList;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** The lists of a configuration, at work: each read, checked and in the kernel; a reload leaves alone those that stay as they are. */
export class Lists {
  readonly #deps: ListsDeps;
  readonly #sets: ListSets | null;
  readonly #folder: string;
  readonly #temporary: boolean;
  readonly #running = new Map<string, Running>();
  readonly #closed = new AbortController();
  #config: Pick<Config, "lists" | "ignoreip" | "ignoreSelf"> = { lists: [], ignoreip: [], ignoreSelf: true };
  /** What no list may hold, as text: to see whether it changed. */
  #exempted = "";
  #hits: ReadonlyMap<string, Hits> = new Map();
  #nextLook: Instant = 0;
  #nextCheck: Instant = 0;

  /** Without a state directory copies of what is fetched last as long as the process. */
  constructor(stateDirectory: string | null, deps: ListsDeps) {
    this.#deps = deps;
    this.#sets = deps.dryRun ? null : new ListSets();
    this.#temporary = stateDirectory === null;
    this.#folder =
      stateDirectory === null ? mkdtempSync(join(tmpdir(), "stoplog-lists-")) : join(stateDirectory, "lists");
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Takes a configuration's lists to work. Rejects with a sentence when the kernel does not let us. */
  async follow(config: Config): Promise<void> {
    await this.#sets?.open(config.lists, (fact) => void this.#lost(fact));
    this.#config = config;
    for (const [name, running] of this.#running) {
      const wanted = config.lists.find((list) => list.name === name);
      if (wanted === undefined || !sameList(wanted, running.config)) await this.#stop(name);
    }
    for (const list of config.lists) if (!this.#running.has(list.name)) this.#start(list);
    this.#recheck();
  }

  /** Takes a list into use that is held back. False when there is none, or none is held. Rejects with a sentence. */
  async release(name: string): Promise<boolean> {
    const running = this.#running.get(name);
    return running !== undefined && (await running.list.release(running.abort.signal));
  }

  /** The lists that an address is on. */
  on(address: Address): WhyReply["lists"] {
    return this.#config.lists.flatMap(({ name, verdict }) =>
      this.#running.get(name)?.list.has(address) === true ? [{ name, verdict }] : [],
    );
  }

  tick(now: Instant): void {
    if (isDue(now, this.#nextCheck, CHECK_EVERY)) {
      this.#nextCheck = now + CHECK_EVERY;
      this.#recheck();
      this.#each((list, signal) => list.retry(signal));
    }
    if (!isDue(now, this.#nextLook, LOOK_EVERY)) return;
    this.#nextLook = now + LOOK_EVERY;
    // What cannot be read now was told when it was lost.
    this.#sets?.counters().then(
      (hits) => (this.#hits = hits),
      () => {},
    );
  }

  status(): StatusReply["lists"] {
    return this.#config.lists.flatMap(({ name, verdict }) => {
      const running = this.#running.get(name);
      if (running === undefined) return [];
      const { reading, changedAt, ...state } = running.list.state;
      const hits = this.#hits.get(name);
      return {
        ...state,
        verdict,
        changedAt: changedAt === null ? null : formatInstant(changedAt),
        packets: hits?.packets ?? 0,
        bytes: hits?.bytes ?? 0,
        malformed: reading?.remarks.counts.malformed ?? 0,
        wide: reading?.remarks.counts.wide ?? 0,
        masked: reading?.remarks.counts.masked ?? 0,
        over: reading?.over ?? 0,
        takenOut: reading?.takenOut.length ?? 0,
        remarks: reading === null ? [] : remarksIn(reading),
      };
    });
  }

  /** What hinders them, as sentences. */
  warnings(): string[] {
    return [...this.#running.values()].flatMap(({ list: { name, state } }) => [
      ...(state.held === null ? [] : [`list ${name} is held back: ${state.held}`]),
      ...(state.trouble === null ? [] : [state.trouble]),
    ]);
  }

  async close(options: { readonly flush: boolean }): Promise<void> {
    this.#closed.abort();
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
    await this.#sets?.close(options);
    if (this.#temporary) rmSync(this.#folder, { recursive: true, force: true });
  }

  #start(config: ListConfig): void {
    const { name } = config;
    const abort = new AbortController();
    const list = new AddressList(config, {
      copies: new KeptCopies(this.#folder),
      userAgent: `stoplog/${this.#deps.version}`,
      exempt: () => this.#exempt(),
      apply: async (ranges) => this.#sets?.replace(name, ranges),
      say: (news) => this.#say(config, news),
    });
    const done = list.run(abort.signal).catch((thrown: unknown) => {
      this.#deps.log.error(`The list ${name} is no longer followed: ${factOf(thrown)}`);
    });
    this.#running.set(name, { config, list, abort, done });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.abort.abort();
    await running?.done;
  }

  *#exempt(): Generator<Exempt> {
    yield* SPECIAL_PURPOSE;
    for (const prefix of this.#own()) yield { prefix, why: "an own address" };
    for (const prefix of this.#config.ignoreip) yield { prefix, why: "allow-listed" };
  }

  #own(): readonly Prefix[] {
    return this.#config.ignoreSelf ? ownPrefixes() : [];
  }

  /** Lists are checked again when this machine's addresses, or who is allow-listed, have changed. */
  #recheck(): void {
    const exempted = [...this.#own(), ...this.#config.ignoreip].map(formatPrefix).join(" ");
    if (exempted === this.#exempted) return;
    this.#exempted = exempted;
    this.#each((list, signal) => list.recheck(signal));
  }

  #each(work: (list: AddressList, signal: AbortSignal) => Promise<void>): void {
    for (const { list, abort } of this.#running.values()) {
      work(list, abort.signal).catch((thrown: unknown) => {
        if (!abort.signal.aborted) this.#deps.warn(factOf(thrown));
      });
    }
  }

  /** Makes all of it again, as often as it takes. */
  async #lost(fact: string): Promise<void> {
    this.#deps.warn(`Lists are not in force: ${fact}; they are made anew`);
    while (!this.#closed.signal.aborted) {
      try {
        await this.#sets?.open(this.#config.lists, (again) => void this.#lost(again));
        for (const { list, abort } of this.#running.values()) await list.reapply(abort.signal);
        this.#deps.log.info("Lists are in force again");
        return;
      } catch (thrown) {
        this.#deps.warn(factOf(thrown));
        await sleep(RETRY, undefined, { ref: false });
      }
    }
  }

  #say({ name, verdict }: ListConfig, news: ListNews): void {
    const { log, warn } = this.#deps;
    if (news.kind === "trouble") return warn(news.fact);
    if (news.kind === "held")
      return warn(`List ${name} is held back: ${news.fact}; the one before stays in force`);
    log.info(`List ${name}: ${counted(news.size.networks, "network")}, ${VERDICTS[verdict]}`);
    for (const remark of remarksIn(news.reading).slice(0, REMARKS_LOGGED))
      log.warn(`List ${name}: ${remark}`);
  }
}

/** What was not taken as it stood, as sentences: a summary first, then line by line. */
function remarksIn({ remarks, over, takenOut }: Reading): readonly string[] {
  const { malformed, wide, masked } = remarks.counts;
  const parts = [
    [malformed, "malformed"],
    [wide, "too wide"],
    [masked, "with host bits"],
  ] as const;
  const summary = parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${counted(count, "line")} ${what}`);
  return [
    ...(summary.length > 0 ? [summary.join(", ")] : []),
    ...(over > 0 ? [`${counted(over, "entry", "entries")} over the bound were not taken`] : []),
    ...takenOut.slice(0, TAKEN_OUT_TOLD).map((one) => `${tellTakenOut(one)}: taken out`),
    ...(takenOut.length > TAKEN_OUT_TOLD ? [`${takenOut.length - TAKEN_OUT_TOLD} more were taken out`] : []),
    ...remarks.told.map(
      ({ file, line, text, fact }) =>
        `${file === undefined ? "" : `${file} `}line ${line}, ${JSON.stringify(text)}, ${fact}`,
    ),
  ];
}

function sameList(a: ListConfig, b: ListConfig): boolean {
  // The verdict is the kernel's matter, and has been told it.
  return JSON.stringify({ ...a, verdict: "" }) === JSON.stringify({ ...b, verdict: "" });
}

/** Also when the clock was set back. */
function isDue(now: Instant, next: Instant, every: Duration): boolean {
  return now >= next || now < next - every;
}

/** How often the kernel is asked for what lists have stopped, and whether this machine's addresses have changed. */
const LOOK_EVERY = 5 * SECOND;
const CHECK_EVERY = MINUTE;
const RETRY = 5 * SECOND;

/** Sentences in the log each time a list is loaded; `status --json` has more. */
const REMARKS_LOGGED = 5;
const TAKEN_OUT_TOLD = 20;

const VERDICTS = { drop: "dropped", reject: "rejected", count: "only counted" } as const;

const remarks = (reason: string): NumberMetric =>
  gauge("stoplog_list_remarks", "Entries of the list in force that were not taken as written, by reason.", {
    reason,
  });

declareMetrics(
  { at: "lists.*", label: "list" },
  {
    networks: gauge("stoplog_list_networks", "Networks in force."),
    packets: counter("stoplog_list_packets_total", "Packets that met the list."),
    bytes: counter("stoplog_list_bytes_total", "Bytes of these packets."),
    changedAt: derivedGauge(
      "stoplog_list_changed_timestamp_seconds",
      "When the list was last loaded, as seconds since 1970.",
      ({ changedAt }) => (typeof changedAt === "string" ? Date.parse(changedAt) / 1000 : null),
    ),
    held: derivedGauge("stoplog_list_held", "1 when a newer version is held back.", ({ held }) =>
      held === null ? 0 : 1,
    ),
    trouble: derivedGauge("stoplog_list_failing", "1 when the last try to load it failed.", ({ trouble }) =>
      trouble === null ? 0 : 1,
    ),
    malformed: remarks("malformed"),
    wide: remarks("too wide"),
    masked: remarks("host bits"),
    over: remarks("over the limit"),
    takenOut: remarks("protected"),
  },
);
