import { type Duration, SECOND } from "../../core/time.ts";
import { counted, durationWords } from "../../core/wording.ts";
import { file } from "../../source/file/kind.ts";
import { journal } from "../../source/journal/kind.ts";
import type { Check } from "../check.ts";
import { quoted, writeFile } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { readSystemdSection, type Settings, SYSTEMD_FOLDERS } from "../systemd-files.ts";
import { findProgram } from "../processes.ts";
import { readRsyslog } from "../rsyslog-config.ts";
import { type Situation, sourcesOf } from "../situation.ts";
import { parseSpan } from "../systemd-time.ts";
import { SYSLOG_FILES } from "./syslog-files.ts";

/**
 * Messages that the journal withholds from Stoplog. Its rate limit applies to stored messages, and so to sources of type journal and to
 * rsyslog's imjournal; messages forwarded to /run/systemd/journal/syslog are exempt (journald-syslog.c, journald-native.c).
 */
export const journald: Check = {
  name: "journald",
  title: "journald",
  reports: "it stores nothing, drops messages at a rate below 1,000 a second, or forwards nothing to rsyslog",
  look(situation) {
    const { host, config } = situation;
    const sources = sourcesOf(situation, journal);
    const runs = findProgram(situation.processes, ["systemd-journald", "systemd-journal"]) !== null;
    if (config === null) return [];
    // `directory` names another machine's journal.
    if (!runs) return sources.every(({ directory }) => directory !== undefined) ? [] : absent(host);
    const settings = readSystemdSection(host, {
      main: SYSTEMD_FOLDERS.map((folder) => `${folder}/journald.conf`),
      folders: SYSTEMD_FOLDERS.map((folder) => `${folder}/journald.conf.d`),
      section: "Journal",
    });
    const found = [
      ...(sources.length === 0 ? [] : [...notStored(settings), ...limited(situation, settings)]),
      ...notForwarded(situation, settings),
    ];
    return found.length > 0 ? found : [fine("journald passes all messages on")];
  },
};

/** A container may have a journal without a journald: the host's journal, mounted. */
function absent(host: Host): Finding[] {
  if (["/var/log/journal", "/run/log/journal"].some((folder) => host.list(folder).length > 0)) return [];
  return [
    trouble({
      what: "This machine has no journal: journald does not run",
      why: "A source of type journal reads nothing",
      cure: ["# in the configuration: a source of type file or syslog instead", "ls -l /var/log"],
    }),
  ];
}

const RESTART = "systemctl restart systemd-journald";

function notStored(settings: Settings): Finding[] {
  if (settings.get("storage") !== "none") return [];
  return [
    trouble({
      what: "journald stores nothing: Storage=none",
      why: "A source of type journal reads nothing",
      cure: dropIn("storage", ["Storage=auto"]),
    }),
  ];
}

/** Sorts after other drop-ins; a file for each cure, so that none undoes another. */
function dropIn(name: string, setting: readonly string[]): readonly string[] {
  const path = `/etc/systemd/journald.conf.d/99-stoplog-${name}.conf`;
  return [...writeFile(path, ["[Journal]", ...setting]), RESTART];
}

/** The limit applies to each unit separately. */
function limited(situation: Situation, settings: Settings): Finding[] {
  const forAll = readLimit(settings.get("ratelimitintervalsec"), settings.get("ratelimitburst"), DEFAULT);
  const units = sourcesOf(situation, journal).flatMap(({ units: named = [] }) => named);
  const worst = units
    .flatMap((unit) => limitOfUnit(situation.host, unit, forAll) ?? [])
    .toSorted((a, b) => perSecond(a) - perSecond(b))[0] ?? { ...forAll, unit: "a service", isOwn: false };
  if (perSecond(worst) >= ENOUGH) return [];
  return [
    advice({
      what: `journald drops what ${worst.unit} logs beyond ${counted(worst.messages, "message")} in ${durationWords(worst.span)}`,
      why: "In a flood Stoplog sees the first messages of each interval and misses the rest: new attackers are not banned in time",
      cure: worst.isOwn
        ? unitDropIn(worst.unit)
        : dropIn("rate", ["RateLimitIntervalSec=1s", "RateLimitBurst=20000"]),
    }),
  ];
}

/** Messages a second. A lower limit hides attackers. */
const ENOUGH = 1000;

/** Messages of one unit in a time span; 0 for either means no limit. */
interface Limit {
  readonly messages: number;
  readonly span: Duration;
}

/** journald.conf(5). With much free disk space, journald allows up to six times as many. */
const DEFAULT: Limit = { messages: 10_000, span: 30 * SECOND };

/** Missing and unreadable settings keep the value of `before`. */
function readLimit(interval: string | undefined, burst: string | undefined, before: Limit): Limit {
  const span = interval === undefined ? null : parseSpan(interval);
  const messages = burst !== undefined && /^\d+$/.test(burst) ? Number(burst) : null;
  return { messages: messages ?? before.messages, span: span ?? before.span };
}

function perSecond({ messages, span }: Limit): number {
  return span === 0 || messages === 0 ? Number.POSITIVE_INFINITY : messages / (span / SECOND);
}

/** A unit's own limit, else the limit for all units; null for an unknown unit. */
function limitOfUnit(host: Host, unit: string, forAll: Limit) {
  const at = (end: string): readonly string[] =>
    SYSTEMD_FOLDERS.map((folder) => `${folder}/system/${unit}${end}`);
  if (at("").every((path) => host.stat(path) === null)) return null;
  const settings = readSystemdSection(host, { main: at(""), folders: at(".d"), section: "Service" });
  const interval = settings.get("logratelimitintervalsec");
  const burst = settings.get("logratelimitburst");
  const isOwn = interval !== undefined || burst !== undefined;
  return { ...readLimit(interval, burst, forAll), unit, isOwn };
}

function unitDropIn(unit: string): readonly string[] {
  const path = `/etc/systemd/system/${unit}.d/99-stoplog-rate.conf`;
  const setting = ["[Service]", "LogRateLimitIntervalSec=1s", "LogRateLimitBurst=20000"];
  return [...writeFile(path, setting), "systemctl daemon-reload", `systemctl restart ${quoted(unit)}`];
}

/** Where journald owns /dev/log, rsyslog's imuxsock gets messages only by forwarding. */
function notForwarded(situation: Situation, settings: Settings): Finding[] {
  const rsyslog = readRsyslog(situation.host);
  if (!/^(no|false|0|off)$/i.test(settings.get("forwardtosyslog") ?? "") || rsyslog === null) return [];
  if (rsyslog.modules.has("imjournal") || !rsyslog.modules.has("imuxsock")) return [];
  if (findProgram(situation.processes, ["rsyslogd"]) === null) return [];
  const path = sourcesOf(situation, file)
    .flatMap(({ path: paths }) => paths)
    .find((name) => SYSLOG_FILES.has(name));
  if (path === undefined) return [];
  return [
    trouble({
      what: "journald forwards nothing to rsyslog (ForwardToSyslog=no), and rsyslog does not read the journal",
      why: `Messages of services do not reach ${path}, which Stoplog reads`,
      cure: [
        ...dropIn("forward", ["ForwardToSyslog=yes"]),
        "# or read the journal: a source of type journal instead of the file",
      ],
    }),
  ];
}
