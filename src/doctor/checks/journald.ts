import { SECOND } from "../../core/time.ts";
import { countWords } from "../../core/wording.ts";
import type { Check } from "../check.ts";
import { writeFile } from "../cure.ts";
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
    const sources = sourcesOf(situation, "journal");
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
      cure: [...writeFile(DROP_IN, ["[Journal]", "Storage=auto"]), RESTART],
    }),
  ];
}

const DROP_IN = "/etc/systemd/journald.conf.d/60-stoplog.conf";

/** The limit is for each unit by itself. */
function limited(situation: Situation, settings: Ini): Finding[] {
  const rate = rateOf(settings.get("RateLimitIntervalSec"), settings.get("RateLimitBurst"));
  const units = sourcesOf(situation, "journal").flatMap(({ units: named = [] }) => named);
  const own = units.map((unit) => ({ unit, ...unitRate(situation.host, unit, rate) }));
  const worst = own.filter(({ exists }) => exists).toSorted((a, b) => a.rate - b.rate)[0] ?? {
    unit: "",
    rate: units.length === 0 || own.every(({ exists }) => !exists) ? rate : Number.POSITIVE_INFINITY,
  };
  if (worst.rate >= ENOUGH) return [];
  const whose = worst.unit === "" ? "of a service" : `of ${worst.unit}`;
  return [
    advice({
      what: `journald drops messages ${whose} beyond ${countWords(Math.floor(worst.rate))} a second on average`,
      why: "In a flood Stoplog sees the first few thousand lines and then nothing for half a minute: new attackers are not banned meanwhile",
      cure: [
        ...writeFile(DROP_IN, ["[Journal]", "RateLimitIntervalSec=1s", "RateLimitBurst=20000"]),
        RESTART,
      ],
    }),
  ];
}

/** Lines a second; what fewer than these does to a flood is not a limit but a gag. */
const ENOUGH = 1000;

/** journald.conf(5): 10,000 in 30 s unless set; 0 of either is no limit. A full disk makes it less, an empty one up to six times more. */
function rateOf(interval = "30s", burst = "10000", otherwise = 10_000 / 30): number {
  const span = parseSpan(interval);
  const most = Number(burst);
  if (span === null || Number.isNaN(most)) return otherwise;
  return span === 0 || most === 0 ? Number.POSITIVE_INFINITY : most / (span / SECOND);
}

/** What a unit says of itself goes before what holds for all. */
function unitRate(host: Host, unit: string, rate: number) {
  const at = (end: string): readonly string[] =>
    SYSTEMD_FOLDERS.map((folder) => `${folder}/system/${unit}${end}`);
  const settings = readSystemdSection(host, { main: at(""), folders: at(".d"), section: "Service" });
  const interval = settings.get("LogRateLimitIntervalSec");
  const burst = settings.get("LogRateLimitBurst");
  const exists = at("").some((path) => host.stat(path) !== null);
  return {
    exists,
    rate: interval === undefined && burst === undefined ? rate : rateOf(interval, burst, rate),
  };
}

/** Without it rsyslog's imuxsock hears nothing where journald has /dev/log. */
function notForwarded(situation: Situation, settings: Ini): Finding[] {
  const rsyslog = readRsyslog(situation.host);
  if (!/^(no|false|0|off)$/i.test(settings.get("ForwardToSyslog") ?? "") || rsyslog === null) return [];
  if (rsyslog.modules.has("imjournal") || !rsyslog.modules.has("imuxsock")) return [];
  if (findProgram(situation.processes, ["rsyslogd"]) === null) return [];
  const path = sourcesOf(situation, "file")
    .flatMap(({ path: paths }) => paths)
    .find((name) => SYSLOG_FILES.has(name));
  if (path === undefined) return [];
  return [
    trouble({
      what: "journald passes nothing on to rsyslog: ForwardToSyslog=no, and rsyslog does not read the journal itself",
      why: `What services log does not get into ${path}, which Stoplog reads`,
      cure: [
        ...writeFile(DROP_IN, ["[Journal]", "ForwardToSyslog=yes"]),
        RESTART,
        "# or read the journal: a source of type journal instead of the file",
      ],
    }),
  ];
}
