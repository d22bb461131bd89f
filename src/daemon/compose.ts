import type { RemoteController } from "../api/remote/routes.ts";
import { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { LIMITS } from "../core/limits.ts";
import { sleep } from "../core/sleep.ts";
import { Allows } from "../jail/allows.ts";
import { BanLog } from "../observe/ban-log.ts";
import type { Log, LogStats } from "../observe/log.ts";
import { BanFile } from "./ban-file.ts";
import { Fail2banDoor, type Fail2banDoorDeps } from "./fail2ban-door.ts";
import { Exempt } from "./exempt.ts";
import { Expiry } from "./expiry.ts";
import type { Feature } from "./feature.ts";
import { Jails } from "./jails.ts";
import { MetricsListener } from "./metrics-listener.ts";
import { lastTargets } from "./last-targets.ts";
import { Lists } from "./lists.ts";
import { Locks } from "./locks.ts";
import { LogRules } from "./log-rules.ts";
import { NameLookup } from "./name-lookup.ts";
import { Notifiers } from "./notifiers.ts";
import { Offload } from "./offload.ts";
import { Origins } from "./origins.ts";
import { ProgressFile } from "./progress-file.ts";
import { Publishers } from "./publishers.ts";
import { RemoteAccess } from "./remote-access.ts";
import { Reports } from "./reports.ts";
import { Sources } from "./sources.ts";
import { StateDirectory } from "./state-directory.ts";
import { SettledBans } from "./settled-bans.ts";
import { Targets } from "./targets.ts";
import { Warnings } from "./warnings.ts";
import { WideAllows } from "./wide-allows.ts";

export interface ComposeDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly logStats: LogStats;
  readonly version: string;
  readonly dryRun: boolean;
  /** For locks, where the system's folder cannot be written to. */
  readonly lockFolder: string;
  /** Distinguishes this process's change numbers from those of earlier ones. */
  readonly epoch: string;
}

/** What answers the questions that come through the API over TCP and fail2ban's socket. */
export interface Doors {
  readonly remote: RemoteController;
  readonly fail2ban: Pick<Fail2banDoorDeps, "answer" | "stats">;
}

/** The list of features, and by name the features that the answers on the control socket need. */
export interface Composition {
  readonly book: Book;
  readonly exempt: Exempt;
  readonly settled: SettledBans;
  readonly targets: Targets;
  readonly bans: BanFile;
  readonly jails: Jails;
  readonly origins: Origins;
  readonly notifiers: Notifiers;
  readonly lists: Lists;
  readonly offload: Offload;
  readonly warn: (sentence: string) => void;
  /** In the order of the flow. */
  readonly features: readonly Feature[];
}

/**
 * Makes every feature and puts them in order. The order is that of the flow from the end back to the start: a feature comes after the features
 * that it feeds, so that nothing is lost when the list starts, and when it closes in reverse. A new feature is made here and gets its place in the
 * list; nothing else changes.
 */
export function compose(
  { limits, stateDirectory }: Pick<Config, "limits" | "stateDirectory">,
  { clock, log, logStats, version, dryRun, lockFolder, epoch }: ComposeDeps,
  { remote, fail2ban }: Doors,
): Composition {
  const book = new Book({ capacity: limits.bans, changes: LIMITS.feedChanges.value });
  const now = (): number => clock.now();
  const warnings = new Warnings(log, logStats, clock);
  const { warn } = warnings;
  const say = { warn, info: (sentence: string) => log.info(sentence) };
  const exempt = new Exempt(now, warn);
  const { own } = exempt;
  const settled = new SettledBans({ book, exempt, clock, log });
  const isFree = (place: string): boolean => locks.isFree(place);
  const last = lastTargets(dryRun ? null : stateDirectory, { isFree, warn });
  const targets = new Targets({ book, now, sleep, warn, log, dryRun, settled, last });
  const bans = new BanFile(stateDirectory, { book, targets, allows: () => allows, clock, log, warn });
  const jails = new Jails({ book, exempt, now, offloaded: (jail) => offload.figures(jail) });
  const { evidence, cap } = jails;
  const allows = new Allows(jails.trusted, LIMITS.allows.value, (note) => bans.note(note));
  const wideAllows = new WideAllows(jails.trusted, say);
  const origins = new Origins({ book, exempt, jails, clock, allows, wideAllows });
  const notifiers = new Notifiers({ book, now, ...say, epoch, version });
  const names = new NameLookup();
  const { refused, seenBanned, forgiven } = targets;
  const said = { refused, seenBanned, forgiven, gate: origins.gate };
  const sources = new Sources({ book, evidence, names, clock, cap, jails, bans, log, ...said });
  const locks = new Locks({ stateDirectory, dryRun, folder: lockFolder });
  const addresses = exempt.addresses();
  const lists = new Lists({ targets, stateDirectory, ...addresses, log, warn, version, dryRun, isFree });
  const offload = new Offload({ book, evidence, own, now, ...say, jails, targets, bans, dryRun, isFree });
  const progress = { jails, sources, bans, clock, warn, isWaiting: () => names.asked > 0 };
  const kept = stateDirectory === null ? [] : [new ProgressFile(stateDirectory, progress)];
  const features = [
    warnings,
    banLog(book, log),
    ...(stateDirectory === null ? [] : [new StateDirectory(stateDirectory, warn)]),
    locks, // before anything that they lock
    exempt,
    settled, // before the targets: they ask it to move bans
    targets,
    bans, // after the targets: without a file, the kernel's bans are restored
    jails,
    ...kept, // before the sources: counters are restored before the first line, and saved after the last
    origins,
    wideAllows,
    new Expiry(book, jails),
    notifiers, // before the sources: they report the last ban
    new Publishers({ book, ...say, epoch: clock.now() }),
    sources,
    new LogRules(dryRun, warn), // after the sources that read what these rules log
    new Reports({ jails, sources, targets, log }),
    lists,
    offload,
    new RemoteAccess(remote, clock, log), // after the others: it answers once everything runs
    new Fail2banDoor({ ...fail2ban, log }),
    new MetricsListener({ log, warn, status: () => remote.status(null) }),
  ];
  return { book, exempt, settled, targets, bans, jails, origins, notifiers, lists, offload, warn, features };
}

function banLog(book: Book, log: Log): Feature {
  let running: BanLog | null = null;
  return {
    name: "the log of bans",
    follow: () => void (running ??= new BanLog(book, log)),
    close: () => running?.close(),
  };
}
