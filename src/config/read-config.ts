import { openEnds } from "../bus/zmq/bus-keys.ts";
import { Report } from "../schema/report.ts";
import { missing } from "../schema/missing.ts";
import { Section } from "../schema/section.ts";
import { parseYaml, type TextPlace } from "../schema/yaml-tree.ts";
import type { OpenFile } from "./open-files.ts";
import { wideNetworks } from "../core/wide-networks.ts";
import { isKind } from "../source/kinds.ts";
import { zmq } from "../bus/orders/kind.ts";
import { ignoredFrom, ignoredPrefixes } from "./ignoreip.ts";
import { readApi } from "./api.ts";
import type { Config } from "./config.ts";
import type { ConfigInput } from "./config-input.ts";
import { readFilterText } from "./filters.ts";
import type { FilterFound, Known } from "./jail-parts.ts";
import { readDefaults, readJails } from "./jails.ts";
import { readLimits } from "./limits.ts";
import { readLists } from "./lists.ts";
import { readLog } from "./log.ts";
import { readMetrics } from "./metrics.ts";
import { readNotify } from "./notify.ts";
import { type OrderDoor, readOrigins } from "./origins.ts";
import { readPublishers } from "./publish.ts";
import { configSchema, sections } from "./schema.ts";
import { readSources } from "./sources.ts";
import { BUILT_IN_TARGETS, builtInTargets, DEFAULT_TARGET, readTargets } from "./targets.ts";
import { NO_STATE } from "./state-directory.ts";

/** What a configuration is read with. */
export interface ReadOptions {
  /** Looks up a filter by its name, or by a path relative to the configuration's directory. */
  readonly readFilter: (reference: string) => FilterFile;
  /** The state directory when the configuration names none; null for none. */
  readonly stateDirectory: string | null;
  /** Where a line of a text is that was joined from several files. */
  readonly placeOf?: (place: TextPlace) => TextPlace;
}

/** The text of a filter, or why it cannot be had. */
export type FilterFile =
  | { readonly kind: "found"; readonly name: string; readonly path: string; readonly text: string }
  | { readonly kind: "missing"; readonly known: readonly string[] }
  | { readonly kind: "unreadable"; readonly fact: string };

/** A configuration, or every sentence about what is wrong with it. */
export interface ConfigReading {
  readonly config: Config | null;
  readonly errors: readonly string[];
  /** Files that users other than root and this process's user can change. Missing when that was not looked at. */
  readonly openFiles?: readonly OpenFile[];
  /** Every file that was read; null or missing when the configuration depends on more than these files. */
  readonly inputs?: readonly ConfigInput[] | null;
}

/** Reads a configuration's text. Never throws, whatever the text says. */
export function readConfig(text: string, file: string, options: ReadOptions): ConfigReading {
  const { tree, faults, place } = parseYaml(text);
  const { placeOf = (found) => found } = options;
  const report = new Report(file, (at) => placeOf(place(at)));
  const what = "the configuration";
  report.faults(what, faults);
  if (tree === null && faults.length > 0) return { config: null, errors: report.sentences };
  const filters = filterReader(options.readFilter);
  const top = new Section({ what, report, tree, at: tree?.at ?? 0 });
  const config = build(top, { file, options, filters });
  const errors = [...report.sentences, ...filters.errors];
  return errors.length > 0 ? { config: null, errors } : { config, errors };
}

interface Around {
  readonly file: string;
  readonly options: ReadOptions;
  readonly filters: FilterReader;
}

function build(top: Section, { file, options, filters }: Around): Config {
  const {
    ignoreip = [],
    state,
    spare_sessions: spareSessions = true,
  } = top.written(configSchema, Object.keys(sections));
  const sources = readSources(top);
  const written = readTargets(top);
  const targets = new Map([...BUILT_IN_TARGETS.map((target) => [target.name, target] as const), ...written]);
  const notes: string[] = [];
  const findFilter = filters.find;
  const known: Known = { sources, targets, findFilter, notes, ignoreSelf: ignoreip.includes("self") };
  const defaults = readDefaults(top, known);
  const { jails, ...named } = readJails(top, defaults, known);
  const lists = readLists(top);
  const publishers = readPublishers(top);
  const { api, fail2banSocket } = readApi(top);
  const metrics = readMetrics(top);
  const tokens = (api?.tokens ?? []).flatMap(({ origin, orders }): OrderDoor[] =>
    orders ? [{ origin, bantime: null, target: null }] : [],
  );
  const doors = [...doorsOf(known, top), ...tokens];
  const origins = readOrigins(top, doors, targets);
  const targetsNamed = new Set([...named.targets, ...origins.map(({ target }) => target)]);
  const notify = readNotify(top, { jails: namesIn(top, "jails"), targets: [...targets.keys()], notes });
  return {
    path: file,
    sources: new Map([...sources].flatMap(([name, source]) => (source === null ? [] : [[name, source]]))),
    targets: [...builtInTargets(written, targetsNamed), ...written.values()],
    jails,
    api,
    fail2banSocket,
    metrics,
    origins,
    lists,
    publishers,
    notify,
    ignoreip: ignoredPrefixes(ignoreip),
    ...ignoredFrom(ignoreip),
    spareSessions,
    ignoreSelf: defaults.written.ignoreself !== false || jails.some((jail) => jail.ignoreSelf),
    limits: readLimits(top),
    stateDirectory: state === false ? null : (state ?? options.stateDirectory),
    log: readLog(top),
    notes: [
      ...filters.notes,
      ...notes,
      ...unused("source", ofLines(sources), named.sources),
      ...unused("target", [...written.keys()], targetsNamed),
      ...openBuses(sources, publishers),
      ...wideNetworks("ignoreip", ignoredPrefixes(ignoreip)),
      ...jails.flatMap((jail) => wideNetworks(`jail ${jail.name}: ignoreip`, jail.ignoreip)),
      ...notInKernel(jails, ignoredFrom(ignoreip)),
      ...(jails.length === 0 && lists.length === 0 && doors.length === 0 ? [NO_JAIL] : []),
      ...(state === undefined && options.stateDirectory === null ? [NO_STATE] : []),
    ],
  };
}

/** What the kernel counts by itself has a fixed list of addresses. */
function notInKernel(jails: Config["jails"], { ignoreFrom = [] }: Pick<Config, "ignoreFrom">): string[] {
  return jails
    .filter((jail) => jail.offload !== undefined && [...ignoreFrom, ...(jail.ignoreFrom ?? [])].length > 0)
    .map(({ name }) => `jail ${name}: names and files of ignoreip do not apply, because the kernel counts`);
}

const NO_JAIL = "no jail is enabled: only bans by hand";

/** Including those with errors. */
function namesIn(top: Section, key: string): readonly string[] {
  const tree = top.entry(key)?.value;
  return tree?.kind === "map" ? [...tree.entries.keys()] : [];
}

function ofLines(sources: Known["sources"]): readonly string[] {
  return [...sources].flatMap(([name, source]) => (source?.orders === undefined ? [name] : []));
}

function unused(kind: "source" | "target", names: readonly string[], used: ReadonlySet<string>): string[] {
  return names
    .filter((name) => !used.has(name) && name !== DEFAULT_TARGET.name)
    .map((name) => `${kind} ${name} is not used by any jail`);
}

/** Ends of ØMQ that others on the network can read or forge. */
function openBuses(sources: Known["sources"], publishers: Config["publishers"]): string[] {
  return [
    ...[...sources].flatMap(([name, source]) =>
      source !== null && isKind(source, zmq) ? openEnds(`source ${name}`, source) : [],
    ),
    ...publishers.flatMap((publisher) => openEnds(`publisher ${publisher.name}`, publisher)),
  ];
}

/** The sources that give orders. */
function doorsOf({ sources, targets }: Known, top: Section): readonly OrderDoor[] {
  return [...sources].flatMap(([name, source]) => {
    if (source?.orders === undefined) return [];
    const { origin, bantime, target } = source.orders;
    if (target !== null && !targets.has(target))
      top.report.error(`source ${name}`, missing("target", target, [...targets.keys()]), top.at);
    return { origin: origin ?? name, bantime, target };
  });
}

interface FilterReader {
  readonly find: (reference: string) => FilterFound;
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

/** Reads each filter once, however many jails use it, so that its errors are reported once. */
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
