import { type Duration, SECOND } from "../../core/time.ts";
import { counted, durationWords } from "../../core/wording.ts";
import { file } from "../../source/file/kind.ts";
import { journal } from "../../source/journal/kind.ts";
import type { Check } from "../check.ts";
import { quoted, writeFile } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { type Ini, readSystemdSection, SYSTEMD_FOLDERS } from "../ini.ts";
import { findProgram } from "../processes.ts";
import { readRsyslog } from "../rsyslog-config.ts";
import { type Situation, sourcesOf } from "../situation.ts";
import { parseSpan } from "../systemd-time.ts";
import { SYSLOG_FILES } from "./syslog-files.ts";

/**
 * What the journal keeps from Stoplog. Its rate limit holds for what is stored, and so for sources of type journal and for rsyslog's
 * imjournal; what is passed on to /run/systemd/journal/syslog is not under it (journald-syslog.c, journald-native.c).
 */
export const journald: Check = {
  name: "journald",
  looksAt: "journald",
  find(situation) {
    const { host, config } = situation;
    const sources = sourcesOf(situation, journal);
    const runs = findProgram(situation.processes, ["systemd-journald", "systemd-journal"]) !== null;
    if (config === null) return [];
    // A folder of its own holds another machine's journal.
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
    return found.length > 0 ? found : [fine("journald keeps nothing from Stoplog")];
  },
};

/** Where others keep it, as on a machine that shows its journal to a container, there is a journal without a journald. */
function absent(host: Host): Finding[] {
  if (["/var/log/journal", "/run/log/journal"].some((folder) => host.list(folder).length > 0)) return [];
  return [
    trouble({
      what: "There is no journal here, and journald does not run",
      why: "A source of type journal gives no lines",
      cure: ["# in the configuration: a source of type file or syslog instead", "ls -l /var/log"],
    }),
  ];
}

const RESTART = "systemctl restart systemd-journald";

function notStored(settings: Ini): Finding[] {
  if (settings.get("Storage") !== "none") return [];
  return [
    trouble({
      what: "journald stores nothing: Storage=none",
      why: "A source of type journal gives no lines",
      cure: dropIn("storage", ["Storage=auto"]),
    }),
  ];
}

/** Behind others' drop-ins, and one for each cure, so that none undoes another. */
function dropIn(name: string, setting: readonly string[]): readonly string[] {
  const path = `/etc/systemd/journald.conf.d/99-stoplog-${name}.conf`;
  return [...writeFile(path, ["[Journal]", ...setting]), RESTART];
}

/** The limit is for each unit by itself. */
function limited(situation: Situation, settings: Ini): Finding[] {
  const forAll = readLimit(settings.get("RateLimitIntervalSec"), settings.get("RateLimitBurst"), DEFAULT);
  const units = sourcesOf(situation, journal).flatMap(({ units: named = [] }) => named);
  const worst = units
    .flatMap((unit) => limitOfUnit(situation.host, unit, forAll) ?? [])
    .toSorted((a, b) => perSecond(a) - perSecond(b))[0] ?? { ...forAll, unit: "a service", isOwn: false };
  if (perSecond(worst) >= ENOUGH) return [];
  return [
    advice({
      what: `journald drops what ${worst.unit} logs beyond ${counted(worst.messages, "message")} in ${durationWords(worst.span)}`,
      why: "In a flood Stoplog sees the first lines of each such span and then none: new attackers are not banned meanwhile",
      cure: worst.isOwn
        ? unitDropIn(worst.unit)
        : dropIn("rate", ["RateLimitIntervalSec=1s", "RateLimitBurst=20000"]),
    }),
  ];
}

/** Messages a second; fewer are not a limit to a flood but a gag. */
const ENOUGH = 1000;

/** So many messages of one unit in a span; a span of 0 or no messages are no limit. */
interface Limit {
  readonly messages: number;
  readonly span: Duration;
}

/** journald.conf(5). When the disk has much room, up to six times as many. */
const DEFAULT: Limit = { messages: 10_000, span: 30 * SECOND };

/** What is not written, or cannot be read, is as it was before. */
function readLimit(interval: string | undefined, burst: string | undefined, before: Limit): Limit {
  const span = interval === undefined ? null : parseSpan(interval);
  const messages = burst !== undefined && /^\d+$/.test(burst) ? Number(burst) : null;
  return { messages: messages ?? before.messages, span: span ?? before.span };
}

function perSecond({ messages, span }: Limit): number {
  return span === 0 || messages === 0 ? Number.POSITIVE_INFINITY : messages / (span / SECOND);
}

/** What a unit says of itself goes before what holds for all; null when there is no such unit. */
function limitOfUnit(host: Host, unit: string, forAll: Limit) {
  const at = (end: string): readonly string[] =>
    SYSTEMD_FOLDERS.map((folder) => `${folder}/system/${unit}${end}`);
  if (at("").every((path) => host.stat(path) === null)) return null;
  const settings = readSystemdSection(host, { main: at(""), folders: at(".d"), section: "Service" });
  const interval = settings.get("LogRateLimitIntervalSec");
  const burst = settings.get("LogRateLimitBurst");
  const isOwn = interval !== undefined || burst !== undefined;
  return { ...readLimit(interval, burst, forAll), unit, isOwn };
}

function unitDropIn(unit: string): readonly string[] {
  const path = `/etc/systemd/system/${unit}.d/99-stoplog-rate.conf`;
  const setting = ["[Service]", "LogRateLimitIntervalSec=1s", "LogRateLimitBurst=20000"];
  return [...writeFile(path, setting), "systemctl daemon-reload", `systemctl restart ${quoted(unit)}`];
}

/** Without it rsyslog's imuxsock hears nothing where journald has /dev/log. */
function notForwarded(situation: Situation, settings: Ini): Finding[] {
  const rsyslog = readRsyslog(situation.host);
  if (!/^(no|false|0|off)$/i.test(settings.get("ForwardToSyslog") ?? "") || rsyslog === null) return [];
  if (rsyslog.modules.has("imjournal") || !rsyslog.modules.has("imuxsock")) return [];
  if (findProgram(situation.processes, ["rsyslogd"]) === null) return [];
  const path = sourcesOf(situation, file)
    .flatMap(({ path: paths }) => paths)
    .find((name) => SYSLOG_FILES.has(name));
  if (path === undefined) return [];
  return [
    trouble({
      what: "journald passes nothing on to rsyslog: ForwardToSyslog=no, and rsyslog does not read the journal itself",
      why: `What services log does not get into ${path}, which Stoplog reads`,
      cure: [
        ...dropIn("forward", ["ForwardToSyslog=yes"]),
        "# or read the journal: a source of type journal instead of the file",
      ],
    }),
  ];
}
