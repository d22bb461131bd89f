import { join } from "node:path";
import { DAY } from "../core/time.ts";
import type { Config, JailConfig, SourceConfig } from "./config.ts";
import { loadFilterFile } from "./find-filter.ts";
import type { FilterReading } from "./filters.ts";
import { packageRoot } from "./package-root.ts";
import { defaultStateDirectory, NO_STATE } from "./state-directory.ts";
import type { Machine } from "./machine.ts";
import type { FileOptions } from "../source/file/kind.ts";
import type { JournalOptions } from "../source/journal/kind.ts";
import { DEFAULT_TARGET } from "./targets.ts";
import { plainJail } from "./jails.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { DEFAULT_LOG } from "./log.ts";

/** A filter of the library, or null when it cannot be used. */
export type LibraryFilter = (name: string) => FilterReading["definition"] | null;

/** The configuration without a file: a jail for each service whose logs this machine has. */
export function builtInConfig(machine: Machine, library: LibraryFilter = fromLibrary): Config {
  const sources = new Map<string, SourceConfig>();
  const jails: JailConfig[] = [];
  const notes: string[] = [];
  const journalUnits: string[] = [];
  for (const service of SERVICES) {
    const filter = library(service.name);
    const found = findLogs(service, machine);
    notes.push(...found.notes);
    if (found.files.length === 0 && !found.journal) continue;
    if (filter === null) {
      notes.push(`${service.name} is not watched: its filter cannot be used`);
      continue;
    }
    const named = found.files.map((file) => sourceOf(file, sources));
    if (found.journal) {
      journalUnits.push(...service.units);
      named.push("journal");
    }
    jails.push(plainJail(service.name, named, filter));
    const units = found.journal ? [`the journal's ${service.units.join(", ")}`] : [];
    notes.push(`${service.name} is watched in ${[...found.files, ...units].join(" and ")}`);
  }
  if (journalUnits.length > 0) sources.set("journal", journalOf(journalUnits));
  if (jails.length === 0) notes.push(nothingFound());
  const stateDirectory = defaultStateDirectory(machine.isRoot);
  if (stateDirectory === null) notes.push(NO_STATE);
  return {
    path: null,
    sources,
    targets: [DEFAULT_TARGET],
    jails,
    api: null,
    fail2banSocket: null,
    metrics: null,
    notify: [],
    origins: [],
    lists: [],
    publishers: [],
    ignoreip: [],
    ignoreSelf: true,
    spareSessions: true,
    limits: DEFAULT_LIMITS,
    stateDirectory,
    log: DEFAULT_LOG,
    notes,
  };
}

function nothingFound(): string {
  const example = join(packageRoot(), "docs/examples/stoplog.yaml");
  return `no log of sshd, nginx, postfix, dovecot or named found: nothing is watched (write /etc/stoplog/stoplog.yaml; ${example} is an example)`;
}

interface Service {
  /** The name of the jail and its filter. */
  readonly name: string;
  /** Paths of the service's program. */
  readonly programs: readonly string[];
  /** Log files; of each group, the first existing file is read. */
  readonly logs: readonly (readonly string[])[];
  /** Whether other services log to the same files. */
  readonly shared: boolean;
  /** Its units in the journal, which is read when no file exists; empty for a service that does not log there. */
  readonly units: readonly string[];
}

const MAIL_LOG = [["/var/log/mail.log", "/var/log/maillog"]];

const SERVICES: readonly Service[] = [
  {
    name: "sshd",
    programs: ["/usr/sbin/sshd", "/usr/bin/sshd"],
    logs: [["/var/log/auth.log", "/var/log/secure"]],
    shared: true,
    units: ["ssh.service", "sshd.service"],
  },
  {
    // Not error.log: nginx decodes line feeds of a path there, so attackers can forge whole lines.
    name: "nginx-auth",
    programs: ["/usr/sbin/nginx", "/usr/bin/nginx"],
    logs: [["/var/log/nginx/access.log"]],
    shared: false,
    units: [],
  },
  {
    name: "postfix",
    programs: ["/usr/sbin/postfix", "/usr/bin/postfix"],
    logs: MAIL_LOG,
    shared: true,
    units: ["postfix.service", "postfix@-.service"],
  },
  {
    name: "dovecot",
    programs: ["/usr/sbin/dovecot", "/usr/bin/dovecot"],
    logs: MAIL_LOG,
    shared: true,
    units: ["dovecot.service"],
  },
  {
    name: "named",
    programs: ["/usr/sbin/named", "/usr/bin/named"],
    logs: [["/var/log/named/security.log", "/var/log/named/named.log", "/var/log/bind/named.log"]],
    shared: false,
    units: ["named.service", "bind9.service"],
  },
];

interface Found {
  readonly files: readonly string[];
  readonly journal: boolean;
  readonly notes: readonly string[];
}

/** A shared log without new lines for this long is abandoned: Debian 12 logs to the journal instead. */
const STALE = 7 * DAY;

/**
 * Prefers files to the journal, because reading them is cheaper; never reads both, because a failure would count twice. A service that is not
 * installed is watched only by a log of its own, such as a container's.
 */
function findLogs(service: Service, machine: Machine): Found {
  const installed = service.programs.some((path) => machine.exists(path));
  if (!installed && service.shared) return NOTHING;
  const present = service.logs.flatMap((group) => group.find((path) => machine.exists(path)) ?? []);
  const readable = present.filter((path) => machine.canRead(path));
  const useJournal = installed && machine.hasJournal && service.units.length > 0;
  const fresh = readable.filter((path) => !useJournal || !isStale(path, machine));
  const owner = installed ? `${service.name} is installed` : `a log of ${service.name} exists`;
  const notes = [
    ...present
      .filter((path) => !readable.includes(path))
      .map((path) => `${owner}, but ${path} cannot be read: permission denied`),
    ...readable
      .filter((path) => !fresh.includes(path))
      .map((path) => `${path} has no new lines for over a week: the journal is read instead`),
  ];
  if (fresh.length > 0) return { files: fresh, journal: false, notes };
  if (useJournal) return { files: [], journal: true, notes };
  if (!installed || notes.length > 0) return { files: [], journal: false, notes };
  const lacking = service.units.length > 0 ? ", and no readable journal" : "";
  const files = service.logs.flat().join(", ");
  return {
    files: [],
    journal: false,
    notes: [`${owner}, but it has no log: none of ${files}${lacking}`],
  };
}

const NOTHING: Found = { files: [], journal: false, notes: [] };

function isStale(path: string, machine: Machine): boolean {
  const changedAt = machine.changedAt(path);
  return changedAt !== null && changedAt < machine.now - STALE;
}

/** `/var/log/nginx/access.log` becomes the source nginx-access, once. */
function sourceOf(path: string, sources: Map<string, SourceConfig>): string {
  const name = path
    .slice("/var/log/".length)
    .replace(/\.log$/, "")
    .replaceAll("/", "-");
  const options: FileOptions = { type: "file", path };
  sources.set(name, options);
  return name;
}

function journalOf(units: readonly string[]): JournalOptions {
  return { type: "journal", units };
}

function fromLibrary(name: string): FilterReading["definition"] | null {
  const { definition, errors } = loadFilterFile(name);
  return errors.length > 0 ? null : definition;
}
