import { join } from "node:path";
import { shorten } from "../../schema/shorten.ts";
import { LONGEST_TEXT } from "../../schema/longest-text.ts";
import { StoplogError } from "../../core/errors.ts";
import type { Duration, Instant } from "../../core/time.ts";
import type { Imported } from "../imported.ts";
import { Names } from "../names.ts";
import { Trials } from "./trial/trials.ts";
import { block, type Line, yamlPage } from "../yaml-page.ts";
import type { Disk } from "./disk.ts";
import { DEFAULT_PURGE } from "./growth.ts";
import { countingKeys, differingKeys } from "./jail-keys.ts";
import { filterLines, type FilterChoice, untriedChoice } from "./jail-filter.ts";
import { Notes } from "./notes.ts";
import { packagedFiles } from "./our-filters.ts";
import { FileReader } from "./read-files.ts";
import { type Jail, readJails } from "./read-jails.ts";
import { readTime } from "./seconds.ts";
import { Sources } from "./sources.ts";
import { Targets } from "./targets.ts";

/** An import of fail2ban's folder. */
export interface Fail2banImport extends Imported {
  /** Sentences about files with which fail2ban itself would not start; they are among the differences, too. */
  readonly broken: readonly string[];
  /** Converted jails. */
  readonly jails: number;
}

/**
 * Makes a stoplog.yaml of fail2ban's folder of configuration. Unless `tries` is false, it tries each jail on its own log, which takes seconds.
 * Throws a StoplogError when there is no such folder.
 */
export function importFail2ban(
  path: string,
  disk: Disk,
  now: Instant,
  { tries = true }: { readonly tries?: boolean } = {},
): Fail2banImport {
  const folder = fail2banFolder(path);
  const notes = new Notes();
  const reader = new FileReader(disk, notes);
  const jails = readJails(folder, reader, notes);
  if (jails === null)
    throw new StoplogError(`Cannot read ${folder}: it contains neither jail.conf nor jail.local`);
  const memory = serverMemory(folder, reader, notes);
  const common = countingKeys(jails.defaults, memory, notes);
  const made = new Making(disk, notes, { common, memory, now: tries ? now : null });
  const { enabled } = jails;
  if (enabled.length > MOST_JAILS)
    notes.say(`Only the first ${MOST_JAILS} of ${enabled.length} enabled jails were converted`);
  const written = enabled
    .slice(0, MOST_JAILS)
    .map((jail) => made.jail(jail))
    .filter((line) => line !== null);
  made.sayDone();
  if (written.length === 0) notes.say(`No jail of ${folder} is enabled and convertible`);
  const mails = made.targets.notify.length === 0 ? [] : [made.targets.notify];
  const page = yamlPage(headOf(folder), [
    ["sources", block(made.sources.lines), "logpath, backend and journalmatch"],
    ["targets", block(made.targets.lines), "banaction and action"],
    ["defaults", block(common), "[DEFAULT]"],
    ["jails", block(written)],
    ...mails.map((lines): Line => ["notify", block(lines), "Mails of the actions"]),
  ]);
  if (page.length > LONGEST_TEXT)
    throw new StoplogError(`Cannot use ${folder}: the result is larger than ${LONGEST_TEXT >> 20} MiB`);
  return {
    text: page,
    differences: [...notes.sentences, ...generalDifferences(made)],
    broken: notes.broken,
    jails: written.length,
  };
}

/** The folder, also of a path of its jail.conf. */
export function fail2banFolder(path: string): string {
  return path.replace(/\/jail\.(?:conf|local)$/, "").replace(/(?<=.)\/+$/, "");
}

const MOST_JAILS = 500;

function headOf(folder: string): string {
  return `What fail2ban does according to ${shorten(folder)}, made by 'stoplog import fail2ban'. Differences were printed on standard error.`;
}

/** How long the database remembers bans, which is how long they make the next one longer. */
function serverMemory(folder: string, reader: FileReader, notes: Notes): Duration {
  const settings = reader.read(join(folder, "fail2ban"));
  const own = settings?.files.find((file) => file.endsWith(".local") || file.includes("/fail2ban.d/"));
  if (own !== undefined)
    notes.differs("fail2ban's own settings", "only dbpurgeage is converted, not log, socket and database", {
      file: own,
      line: 1,
    });
  const written =
    settings?.sections.get("Definition")?.get("dbpurgeage") ?? settings?.defaults.get("dbpurgeage");
  const time = written === undefined ? null : readTime(written.text);
  return time !== null && time > 0 ? time : DEFAULT_PURGE;
}

interface Common {
  /** Keys of `defaults`. */
  readonly common: readonly Line[];
  readonly memory: Duration;
  /** Null for no trial. */
  readonly now: Instant | null;
}

class Making {
  readonly sources: Sources;
  readonly targets: Targets;
  /** Filters of fail2ban's package and ours that stand for them. */
  readonly replaced = new Set<string>();
  readonly #disk: Disk;
  readonly #notes: Notes;
  readonly #common: readonly Line[];
  readonly #memory: Duration;
  readonly #names = new Names();
  readonly #trials: Trials | null;
  /** Converted jails by all that they say but their name. */
  readonly #made = new Map<
    string,
    { readonly name: string; readonly jail: string; readonly same: string[] }
  >();
  #looksUp = false;
  readonly #packaged: ReadonlyMap<string, string>;

  constructor(disk: Disk, notes: Notes, { common, memory, now }: Common) {
    this.#disk = disk;
    this.#notes = notes;
    this.#common = common;
    this.#memory = memory;
    this.#trials = now === null ? null : new Trials(disk, notes, now);
    this.sources = new Sources(disk, notes);
    const status = disk.read("/var/lib/dpkg/status");
    this.#packaged = packagedFiles("text" in status ? status.text : "");
    this.targets = new Targets(disk, notes, this.#packaged);
  }

  /** Whether names are looked up. */
  get looksUp(): boolean {
    return this.#looksUp || this.#common.some(([key]) => key === "usedns");
  }

  /** Null, and why, when the jail cannot be carried over. */
  jail(jail: Jail): Line | null {
    const isJournal = this.sources.isJournal(jail);
    const context = { packaged: this.#packaged, disk: this.#disk, notes: this.#notes, isJournal };
    const first = filterLines(jail, context);
    if (first === null) return this.#leftOut(jail, "its filter cannot be converted");
    const sources = this.#sourcesOf(jail, first);
    if (sources.length === 0) return this.#leftOut(jail, "it has no log to read");
    const filter =
      this.#trials?.chosen(jail, first, this.sources.logsOf(sources), context) ?? untriedChoice(first);
    if (filter.ours !== null) this.replaced.add(filter.ours);
    const isRecidive = filter.ours === "recidive" && !jail.name.startsWith("recidive");
    const counting = countingKeys(jail, this.#memory, this.#notes);
    this.#looksUp ||= counting.some(([key]) => key === "usedns");
    const wanted = this.#names.valid(isRecidive ? `recidive-${jail.name}` : jail.name);
    const { target, mails } = this.targets.of(jail);
    const keys: Line[] = [
      ["sources", sources],
      ...filter.lines,
      ...differingKeys(counting, this.#common),
      ["target", target],
    ];
    const all = JSON.stringify(keys);
    const before = this.#made.get(all);
    const name = before?.name ?? this.#names.take(wanted);
    this.targets.tell(mails, name);
    if (before !== undefined) {
      before.same.push(jail.name);
      return null;
    }
    this.#made.set(all, { name, jail: jail.name, same: [] });
    return [name, block(keys), `[${shorten(jail.name)}]`];
  }

  /** Notes the jails that became one. */
  sayDone(): void {
    for (const { name, jail, same } of this.#made.values())
      if (same.length > 0)
        this.#notes.say(
          `jail ${shorten(name)}: one for ${[jail, ...same].map((each) => shorten(each)).join(", ")}, which are the same here`,
        );
  }

  #sourcesOf(jail: Jail, filter: FilterChoice): readonly string[] {
    if (filter.ours !== "recidive") return this.sources.of(jail);
    this.#notes.differs(
      jail.title("logpath"),
      "it counts the bans in Stoplog's log instead of fail2ban's",
      jail.place,
    );
    return [this.sources.own()];
  }

  #leftOut(jail: Jail, fact: string): null {
    this.#notes.differs(`jail ${jail.name}`, `${fact}: left out`, jail.place);
    return null;
  }
}

function generalDifferences(made: Making): readonly string[] {
  const { replaced, targets } = made;
  const ours = [...replaced].toSorted().join(", ");
  const hasPorts = targets.lines.some(([name]) => name === "all");
  return [
    ...(ours === ""
      ? []
      : [
          `Stoplog's own filters replace those of fail2ban's package: ${ours}; 'stoplog test FILTER LOG' shows what each one matches`,
        ]),
    ...(hasPorts ? ["A ban on all ports stops all traffic, not one protocol alone"] : []),
    ...(made.looksUp
      ? [
          "usedns resolves names as in fail2ban: the owner of a name chooses the address that is banned; remove it where logs contain addresses",
        ]
      : []),
    "Failures are counted as fail2ban does, which scales counts older than findtime; without counting: scaled Stoplog counts those within findtime exactly",
    "At the first start log files are read from their end, where fail2ban starts findtime back",
    "Each IPv6 address counts by itself, as in fail2ban; without ipv6_prefix: 128 Stoplog counts and bans networks (/64), which an attacker usually has as a whole",
    "This machine's own addresses and its gateways are never banned, unless ignoreself is false",
    "Active bans of fail2ban are not imported: 'stoplog adopt fail2ban' takes them over",
  ];
}
