import { LIMITS } from "../core/limits.ts";
import type { ListConfig } from "../lists/lists.ts";
import type { Config, JailConfig, SourceConfig, TargetConfig } from "./config.ts";
import { readFilterText } from "./filter-text.ts";
import { buildJail, checkReferences } from "./read-jail.ts";
import { entryOf, readNames, readObject, type Where } from "./read-object.ts";
import { openEnds } from "./read-bus.ts";
import { readList } from "./read-list.ts";
import { readApi } from "./read-api.ts";
import { readNotify } from "./read-notify.ts";
import { type OrderDoor, readOrigins } from "./read-origins.ts";
import { readPublishers } from "./read-publish.ts";
import { readSource } from "./read-source.ts";
import { BUILT_IN_TARGETS, builtInTargets, DEFAULT_TARGET, readTarget, rivalsAmong } from "./read-target.ts";
import { Report } from "./report.ts";
import { jailSchema } from "./jail-schema.ts";
import { configSchema, limitsSchema, logSchema } from "./schema.ts";
import { type FilterFound, type Known, missing, type Section } from "./section.ts";
import { NAME } from "./values.ts";
import { type Entry, parseYaml, shorten, type Tree } from "./yaml-tree.ts";

/** What a configuration is read with. */
export interface ReadOptions {
  /** Looks up a filter by a name, or by a path from the configuration's folder on. */
  readonly readFilter: (reference: string) => FilterFile;
  /** Where state goes when the configuration does not say; null for nowhere. */
  readonly stateDirectory: string | null;
}

/** The text of a filter, or why there is none. */
export type FilterFile =
  | { readonly kind: "found"; readonly name: string; readonly path: string; readonly text: string }
  | { readonly kind: "missing"; readonly known: readonly string[] }
  | { readonly kind: "unreadable"; readonly fact: string };

/** A configuration, or every sentence about what is wrong with it. */
export interface ConfigReading {
  readonly config: Config | null;
  readonly errors: readonly string[];
}

/** Reads a configuration's text. Never throws, whatever it says. */
export function readConfig(text: string, file: string, options: ReadOptions): ConfigReading {
  const { tree, faults, place } = parseYaml(text);
  const report = new Report(file, place);
  const what = "the configuration";
  report.faults(what, faults);
  if (tree === null && faults.length > 0) return { config: null, errors: report.sentences };
  const filters = filterReader(options.readFilter);
  const config = build(tree, { what, report, at: tree?.at ?? 0 }, { file, options, filters });
  const errors = [...report.sentences, ...filters.errors];
  return errors.length > 0 ? { config: null, errors } : { config, errors };
}

interface Around {
  readonly file: string;
  readonly options: ReadOptions;
  readonly filters: FilterReader;
}

function build(tree: Tree | null, where: Where, { file, options, filters }: Around): Config {
  const { report, what } = where;
  const top = readObject(configSchema, tree, { ...where, elsewhere: SECTIONS });
  const section = (key: string): Tree | null => entryOf(tree, key)?.value ?? null;
  const inside = (key: string): Where => ({
    what,
    report,
    prefix: `${key}.`,
    at: entryOf(tree, key)?.keyAt ?? 0,
  });

  const sources = readSources(section("sources"), where);
  const targets = readTargets(section("targets"), where);
  const ignoreip = top.ignoreip ?? [];
  const notes: string[] = [];
  const known: Known = {
    sources: [...sources.keys()],
    gives: new Map(
      [...sources].flatMap(([name, source]) => (source === null ? [] : [[name, givesOf(source)]])),
    ),
    installed: new Set(
      [...sources].flatMap(([name, source]) =>
        source?.type === "nflog" && source.install === true ? [name] : [],
      ),
    ),
    targets: new Map([...BUILT_IN_TARGETS.map((target) => [target.name, target] as const), ...targets]),
    findFilter: filters.find,
    notes,
    ignoreSelf: ignoreip.includes("self"),
  };
  const defaults = readSection(section("defaults"), { what: "defaults", report, at: inside("defaults").at });
  checkReferences(defaults, known);
  for (const key of ["offload", "connlimit"] as const)
    if (defaults.written[key] !== undefined)
      report.error(
        "defaults",
        `${key} is said by each jail`,
        entryOf(defaults.tree, key)?.keyAt ?? defaults.where.at,
      );
  const { jails, mentioned } = readJails(section("jails"), { where, defaults, known });
  const lists = readLists(section("lists"), where);
  const publishers = readPublishers(section("publish"), where);
  const api = readApi(section("api"), where);
  const doors = [
    ...doorsOf(sources, known.targets, where),
    ...(api?.tokens ?? []).map(({ origin }) => ({ origin, bantime: null, target: null })),
  ];
  const origins = readOrigins(section("origins"), doors, known.targets, where);
  for (const { target } of origins) mentioned.target.add(target);
  const notify = readNotify(
    section("notify"),
    { jails: namesIn(section("jails")), targets: [...known.targets.keys()], notes },
    where,
  );
  const limits = readObject(limitsSchema, section("limits"), inside("limits"));
  const log = readObject(logSchema, section("log"), inside("log"));
  const lines = new Map([...sources].filter(([, source]) => source?.orders === undefined));
  const unused = [...without("source", lines, mentioned), ...without("target", targets, mentioned)];

  return {
    path: file,
    sources: new Map([...sources].flatMap(([name, source]) => (source === null ? [] : [[name, source]]))),
    targets: [...builtInTargets(targets, mentioned.target), ...targets.values()],
    jails,
    api,
    origins,
    lists,
    publishers,
    notify,
    ignoreip: ignoreip.filter((entry) => entry !== "self"),
    ignoreSelf: defaults.written.ignoreself !== false || jails.some((jail) => jail.ignoreSelf),
    limits: {
      bans: limits.bans ?? LIMITS.bans.value,
      packetBans: limits.packet_bans ?? LIMITS.packetBans.value,
    },
    stateDirectory: top.state === false ? null : (top.state ?? options.stateDirectory),
    log: { level: log.level ?? "info", format: log.format ?? "text" },
    notes: [
      ...filters.notes,
      ...notes,
      ...unused,
      ...openBuses(sources, publishers),
      ...(jails.length === 0 && lists.length === 0 ? [NO_JAIL] : []),
    ],
  };
}

/** What is read name by name or key by key, below. */
const SECTIONS = [
  "sources",
  "targets",
  "jails",
  "lists",
  "publish",
  "origins",
  "api",
  "notify",
  "defaults",
  "limits",
  "log",
];

const NO_JAIL = "no jail is enabled: nobody is banned but by hand";

/** Also of those in which something is wrong. */
function namesIn(tree: Tree | null): readonly string[] {
  return tree?.kind === "map" ? [...tree.entries.keys()] : [];
}

/** Ends of ØMQ that others may listen to, or speak at. */
function openBuses(
  sources: ReadonlyMap<string, SourceConfig | null>,
  publishers: Config["publishers"],
): string[] {
  return [
    ...[...sources].flatMap(([name, source]) =>
      source?.type === "zmq" ? openEnds(`source ${name}`, source) : [],
    ),
    ...publishers.flatMap((publisher) => openEnds(`publisher ${publisher.name}`, publisher)),
  ];
}

function givesOf(source: SourceConfig): "lines" | "packets" | "orders" {
  if (source.orders !== undefined) return "orders";
  return source.type === "nflog" ? "packets" : "lines";
}

/** The sources that bring orders, each a door of some origin. */
function doorsOf(
  sources: ReadonlyMap<string, SourceConfig | null>,
  targets: Known["targets"],
  where: Where,
): readonly OrderDoor[] {
  return [...sources].flatMap(([name, source]) => {
    if (source?.orders === undefined) return [];
    const { origin, bantime, target } = source.orders;
    if (target !== null && !targets.has(target))
      where.report.error(`source ${name}`, missing("target", target, [...targets.keys()]), where.at);
    return { origin: origin ?? name, bantime, target };
  });
}

/** Null for a source with errors: its name is known all the same. */
function readSources(tree: Tree | null, where: Where): ReadonlyMap<string, SourceConfig | null> {
  const entries = readNames(tree, "source", NAME, where);
  return new Map(
    [...entries].map(([name, { keyAt, value }]) => {
      const what = `source ${shorten(name)}`;
      return [name, readSource(value, { what, report: where.report, at: keyAt })];
    }),
  );
}

function readTargets(tree: Tree | null, where: Where): ReadonlyMap<string, TargetConfig> {
  const entries = readNames(tree, "target", NAME, where);
  const targets = new Map(
    [...entries].map(([name, { keyAt, value }]) => {
      const inside = { what: `target ${shorten(name)}`, report: where.report, at: keyAt };
      return [name, readTarget(name, value, inside)];
    }),
  );
  const rivals = rivalsAmong(targets.values());
  if (rivals !== null) {
    const fact = `targets: enforcers ${rivals.names.join(" and ")} both write ${rivals.owns}: use one of them for all targets`;
    where.report.error(where.what, fact, tree?.at ?? 0);
  }
  return targets;
}

function readLists(tree: Tree | null, where: Where): readonly ListConfig[] {
  const entries = readNames(tree, "list", NAME, where);
  return [...entries].flatMap(([name, { keyAt, value }]) => {
    const inside = { what: `list ${shorten(name)}`, report: where.report, at: keyAt };
    return readList(name, value, inside) ?? [];
  });
}

function readSection(tree: Tree | null, where: Where): Section {
  const before = where.report.count;
  const written = readObject(jailSchema, tree, where);
  return { tree, written, where, failed: where.report.count > before };
}

interface JailReading {
  readonly where: Where;
  readonly defaults: Section;
  readonly known: Known;
}

/** The jails that are enabled, and the sources and targets that any jail names. */
function readJails(tree: Tree | null, { where, defaults, known }: JailReading) {
  const mentioned = { source: new Set<string>(), target: new Set<string>() };
  const entries: ReadonlyMap<string, Entry> = readNames(tree, "jail", NAME, where);
  const jails = [...entries].flatMap(([name, { keyAt, value }]): JailConfig[] => {
    const inside = { what: `jail ${shorten(name)}`, report: where.report, at: keyAt };
    const jail = readSection(value, inside);
    if (!NAME.test(name) || (value.kind !== "map" && jail.failed)) return [];
    const built = buildJail(name, jail, defaults, known);
    for (const source of built.sources) mentioned.source.add(source);
    for (const { target } of built.steps) mentioned.target.add(target);
    return (jail.written.enabled ?? defaults.written.enabled ?? true) ? [built] : [];
  });
  return { jails, mentioned };
}

function without(
  kind: "source" | "target",
  names: ReadonlyMap<string, unknown>,
  mentioned: Readonly<Record<"source" | "target", ReadonlySet<string>>>,
): string[] {
  return [...names.keys()]
    .filter((name) => !mentioned[kind].has(name) && name !== DEFAULT_TARGET.name)
    .map((name) => `${kind} ${name} is not used by any jail`);
}

interface FilterReader {
  readonly find: (reference: string) => FilterFound;
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

/** Reads each filter once, however many jails use it, so that its errors are told once. */
function filterReader(readFilter: ReadOptions["readFilter"]): FilterReader {
  const read = new Map<string, FilterFound>();
  const errors: string[] = [];
  const notes: string[] = [];
  const find = (reference: string): FilterFound => {
    const before = read.get(reference);
    if (before !== undefined) return before;
    const file = readFilter(reference);
    const found: FilterFound =
      file.kind === "found" ? { kind: "read", ...readFilterText(file.text, file.path, file.name) } : file;
    if (found.kind === "read") {
      errors.push(...found.errors);
      notes.push(...found.notes);
    }
    read.set(reference, found);
    return found;
  };
  return { find, errors, notes };
}
