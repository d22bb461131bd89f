import type { Trouble } from "../core/trouble.ts";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../core/address.ts";
import { type Pauses, tryUntilDone } from "../core/back-off.ts";
import { isDue } from "../core/due.ts";
import { cannot, factOf } from "../core/errors.ts";
import { formatPrefix, hostPrefix, type Prefix } from "../core/prefix.ts";
import { formatInstant, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { counted } from "../core/wording.ts";
import type { Hits } from "../kernel/nftables/counters.ts";
import type { ListVerdict } from "./kernel/list-rules.ts";
import { ListSets } from "./kernel/list-sets.ts";
import {
  AddressList,
  type ListNews,
  type ListOptions,
  type ListState,
  type Reading,
} from "./reading/address-list.ts";
import { tellTakenOut } from "./reading/check-list.ts";
import { KeptCopies } from "./reading/kept-copy.ts";
import { type SpecialNetwork, SPECIAL_PURPOSE } from "../core/special-purpose.ts";
import { counter, declareMetrics, derivedGauge, gauge, type NumberMetric } from "../core/metrics.ts";

/** A list of addresses, and what happens to their packets. */
export type ListConfig = ListOptions & { readonly verdict: ListVerdict };

export interface ListsConfig {
  /** In the order in which the kernel looks them up. */
  readonly lists: readonly ListConfig[];
  readonly ignoreip: readonly Prefix[];
  readonly ignoreSelf: boolean;
}

export interface ListsDeps {
  readonly log: Record<"info" | "warn" | "error", (sentence: string) => void>;
  /** As `log.warn`, but rate-limited. */
  readonly warn: (sentence: string) => void;
  /** This machine's addresses. */
  readonly own: () => Iterable<Prefix>;
  /** The addresses of names and files in `ignoreip`. */
  readonly elsewhere?: () => Iterable<Prefix>;
  /** Addresses from which a user is logged in, unless these are not spared. */
  readonly sessions: () => Iterable<Address>;
  readonly version: string;
  readonly dryRun: boolean;
}

/** What `status` reports of a list. */
export interface ListStatus extends Omit<ListState, "reading" | "changedAt"> {
  readonly verdict: ListVerdict;
  readonly changedAt: string | null;
  readonly packets: number;
  readonly bytes: number;
  readonly malformed: number;
  readonly wide: number;
  readonly masked: number;
  readonly over: number;
  readonly takenOut: number;
  readonly remarks: readonly string[];
}

interface Running {
  readonly config: ListConfig;
  readonly list: AddressList;
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

/** The address lists: each is read, checked and put into the kernel. A reload keeps unchanged ones running. */
export class Lists {
  readonly #deps: ListsDeps;
  readonly #sets: ListSets | null;
  readonly #folder: string;
  readonly #temporary: boolean;
  readonly #running = new Map<string, Running>();
  readonly #closed = new AbortController();
  #config: ListsConfig = { lists: [], ignoreip: [], ignoreSelf: true };
  /** Own and allow-listed prefixes at the last check, as text. */
  #exempted = "";
  #hits: ReadonlyMap<string, Hits> = new Map();
  #nextLook: Instant = 0;
  #nextCheck: Instant = 0;

  /** Without a state directory, fetched copies last as long as the process. */
  constructor(stateDirectory: string | null, deps: ListsDeps) {
    this.#deps = deps;
    this.#sets = deps.dryRun ? null : new ListSets();
    this.#temporary = stateDirectory === null;
    this.#folder =
      stateDirectory === null ? mkdtempSync(join(tmpdir(), "stoplog-lists-")) : join(stateDirectory, "lists");
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw cannot(`make the folder ${this.#folder} for lists`, error);
    }
  }

  /** Moves to other lists. Rejects with a StoplogError when the kernel refuses. */
  async follow(config: ListsConfig): Promise<void> {
    await this.#sets?.open(config.lists, (fact) => void this.#lost(fact));
    this.#config = config;
    for (const [name, running] of this.#running) {
      const desired = config.lists.find((list) => list.name === name);
      if (desired === undefined || !sameList(desired, running.config)) await this.#stop(name);
    }
    for (const list of config.lists) if (!this.#running.has(list.name)) this.#start(list);
    this.#recheck();
  }

  /** Puts a list that is held back into force. False when nothing of that name is held. Rejects with a StoplogError. */
  async release(name: string): Promise<boolean> {
    const running = this.#running.get(name);
    return running !== undefined && (await running.list.release(running.abort.signal));
  }

  /** The lists that an address is on. */
  on(address: Address): readonly Pick<ListStatus, "name" | "verdict">[] {
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
    // When the sets are lost, `#lost` has warned already.
    this.#sets?.counters().then(
      (hits) => (this.#hits = hits),
      () => {},
    );
  }

  status(): readonly ListStatus[] {
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

  /** Present problems, as sentences. */
  troubles(): readonly Trouble[] {
    return [...this.#running.values()].flatMap(({ list: { name, state } }) =>
      state.trouble === null ? [] : [{ of: `list ${name}`, sentence: state.trouble }],
    );
  }

  warnings(): readonly string[] {
    return [...this.#running.values()].flatMap(({ list: { name, state } }) =>
      state.held === null ? [] : [`list ${name} is held back: ${state.held}`],
    );
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
      this.#deps.log.error(`Cannot follow list ${name} any longer: ${factOf(thrown)}`);
    });
    this.#running.set(name, { config, list, abort, done });
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.abort.abort();
    await running?.done;
  }

  *#exempt(): Generator<SpecialNetwork> {
    yield* SPECIAL_PURPOSE;
    for (const prefix of this.#own()) yield { prefix, why: "an own address" };
    for (const prefix of this.#ignored()) yield { prefix, why: "allow-listed" };
    for (const address of this.#deps.sessions()) yield { prefix: hostPrefix(address), why: LOGGED_IN };
  }

  #ignored(): readonly Prefix[] {
    return [...this.#config.ignoreip, ...(this.#deps.elsewhere?.() ?? [])];
  }

  #own(): Iterable<Prefix> {
    return this.#config.ignoreSelf ? this.#deps.own() : [];
  }

  /** Checks the lists again when own or allow-listed addresses have changed, or the sessions of addresses that are listed. */
  #recheck(): void {
    const fixed = [...this.#own(), ...this.#ignored()];
    const exempted = [...fixed, ...this.#listedSessions()].map(formatPrefix).join(" ");
    if (exempted === this.#exempted) return;
    this.#exempted = exempted;
    this.#each((list, signal) => list.recheck(signal));
  }

  #listedSessions(): readonly Prefix[] {
    const spared = new Set(
      [...this.#running.values()].flatMap(({ list }) =>
        (list.state.reading?.takenOut ?? [])
          .filter(({ why }) => why === LOGGED_IN)
          .map(({ prefix }) => formatPrefix(prefix)),
      ),
    );
    const isListed = (address: Address): boolean =>
      spared.has(formatPrefix(hostPrefix(address))) || this.on(address).length > 0;
    return [...this.#deps.sessions()].filter(isListed).map(hostPrefix);
  }

  #each(work: (list: AddressList, signal: AbortSignal) => Promise<void>): void {
    for (const { list, abort } of this.#running.values()) {
      work(list, abort.signal).catch((thrown: unknown) => {
        if (!abort.signal.aborted) this.#deps.warn(factOf(thrown));
      });
    }
  }

  /** Restores the sets, as often as it takes. */
  async #lost(fact: string): Promise<void> {
    this.#deps.warn(`Lists are not in force: ${fact}; restoring them`);
    const done = await tryUntilDone(
      async () => {
        await this.#sets?.open(this.#config.lists, (again) => void this.#lost(again));
        for (const { list, abort } of this.#running.values()) await list.reapply(abort.signal);
      },
      {
        pauses: RETRY,
        signal: this.#closed.signal,
        failed: (thrown) => this.#deps.warn(factOf(thrown)),
      },
    );
    if (done) this.#deps.log.info("Lists are in force again");
  }

  #say({ name, verdict }: ListConfig, news: ListNews): void {
    const { log, warn } = this.#deps;
    if (news.kind === "trouble") return; // among `troubles`
    if (news.kind === "held")
      return warn(`List ${name} is held back: ${news.fact}; the previous version stays in force`);
    log.info(`List ${name}: ${counted(news.size.networks, "network")}, ${VERDICTS[verdict]}`);
    for (const remark of remarksIn(news.reading).slice(0, REMARKS_LOGGED))
      log.warn(`List ${name}: ${remark}`);
  }
}

/** Entries that were not taken as written, as sentences: a summary first, then line by line. */
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
    ...(over > 0 ? [`${counted(over, "entry", "entries")} over the limit were ignored`] : []),
    ...takenOut.slice(0, TAKEN_OUT_TOLD).map((one) => `${tellTakenOut(one)}: taken out`),
    ...(takenOut.length > TAKEN_OUT_TOLD ? [`${takenOut.length - TAKEN_OUT_TOLD} more were taken out`] : []),
    ...remarks.told.map(
      ({ file, line, text, fact }) =>
        `${file === undefined ? "" : `${file} `}line ${line}, ${JSON.stringify(text)}, ${fact}`,
    ),
  ];
}

function sameList(a: ListConfig, b: ListConfig): boolean {
  // The kernel's sets follow the verdict.
  return JSON.stringify({ ...a, verdict: "" }) === JSON.stringify({ ...b, verdict: "" });
}

/** How often the kernel's counters are read, and own addresses checked for changes. */
const LOOK_EVERY = 5 * SECOND;
const CHECK_EVERY = MINUTE;
const RETRY: Pauses = { first: 5 * SECOND, longest: 5 * SECOND };

const LOGGED_IN = "an address from which a user is logged in";

/** Remarks logged each time a list is loaded; `status --json` has more. */
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
