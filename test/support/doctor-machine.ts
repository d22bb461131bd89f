import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { StatusReply } from "../../src/api/wire.ts";
import type { Config } from "../../src/config/config.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { findFilter } from "../../src/config/find-filter.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import type { Check } from "../../src/doctor/check.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import type { HostFacts } from "../../src/doctor/host.ts";
import { hostAt } from "../../src/doctor/host-at.ts";
import { type Situation, takeIn } from "../../src/doctor/situation.ts";

/** A machine made of a directory of files, and its configuration. */
export interface Machine {
  /** Contents of files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** When files were last written; `NOW` unless set. */
  readonly changedAt?: Readonly<Record<string, number>>;
  /** Programs that are installed. */
  readonly programs?: readonly string[];
  readonly facts?: Partial<HostFacts>;
  readonly daemon?: Partial<StatusReply>;
  /** YAML. Without it, a jail sshd that reads /var/log/auth.log. */
  readonly config?: string;
  readonly socket?: string;
}

export const NOW = Date.UTC(2026, 10, 20, 14, 45, 0);

export const SSHD = `
sources: { auth: { type: file, path: /var/log/auth.log } }
jails: { sshd: { sources: auth, filter: sshd } }
`;

export function situation(machine: Machine): Situation {
  return lookAt(build(machine), machine);
}

/** A check's findings before and after its cures ran on the machine, word for word. */
export function cured(
  check: Check,
  machine: Machine,
): { before: readonly string[]; after: readonly string[] } {
  const root = build(machine);
  const findings = check.look(lookAt(root, machine));
  const lines = findings.flatMap(({ cure }) => cure).map((line) => line.replaceAll("/etc/", `${root}/etc/`));
  const script = ["set -e", "systemctl() { :; }", "sshd() { :; }", "modprobe() { :; }", ...lines].join("\n");
  const { status, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const what = (all: readonly Finding[]): string[] => all.map((finding) => finding.what);
  return { before: what(findings), after: what(check.look(lookAt(root, machine))) };
}

/** Creates the directory; it is removed after the test. */
function build(machine: Machine): string {
  const root = mkdtempSync(join(tmpdir(), "stoplog-doctor-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const programs = (machine.programs ?? []).map((name) => [`/usr/bin/${name}`, "#!/bin/sh\n"] as const);
  for (const [path, text] of [...Object.entries(machine.files ?? {}), ...programs]) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
    if (path.startsWith("/usr/bin/")) chmodSync(at, 0o755);
    const seconds = (machine.changedAt?.[path] ?? NOW) / 1000;
    utimesSync(at, seconds, seconds);
  }
  return root;
}

/** A sound machine. */
export const FACTS: HostFacts = {
  now: NOW,
  uid: 0,
  nodeVersion: "20.19.0",
  nativeFault: null,
  clockSynchronised: true,
  iptables: null,
  nftTables: null,
  packageRoot: "/usr/lib/stoplog",
};

function lookAt(root: string, machine: Machine): Situation {
  const host = hostAt(root, "/usr/bin", { ...FACTS, ...machine.facts });
  return takeIn(host, {
    config: configOf(machine.config ?? SSHD),
    configErrors: [],
    openFiles: [],
    configPath: "/etc/stoplog/stoplog.yaml",
    // Each check reads what it is about.
    daemon: machine.daemon === undefined ? null : (machine.daemon as StatusReply),
    socket: machine.socket ?? "/run/stoplog/control.sock",
  });
}

/** A check's findings, fine ones included. */
export function say(check: Check, machine: Machine): readonly Finding[] {
  return check.look(situation(machine));
}

/** The same as `trouble: …` and so on, without reasons and cures. */
export function sentences(check: Check, machine: Machine): readonly string[] {
  return say(check, machine).map(({ severity, what }) => `${severity}: ${what}`);
}

/** The head of /proc/PID/status, as far as it matters. */
export function statusFile(uid: number, capabilities: string, more = ""): string {
  return `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nCapEff:\t${capabilities}\n${more}`;
}

/** All capabilities of Linux 6; CAP_NET_ADMIN alone; none. */
export const ALL = "000001ffffffffff";
export const NET_ADMIN = "0000000000001000";
export const NONE = "0000000000000000";

/** Files of a process. */
export function processFiles(pid: number, ...words: readonly string[]): Record<string, string> {
  const name = (words[0] ?? "").split("/").at(-1) ?? "";
  return {
    [`/proc/${pid}/comm`]: `${name.slice(0, 15)}\n`,
    [`/proc/${pid}/cmdline`]: words.map((word) => `${word}\0`).join(""),
  };
}

const library = [join(packageRoot(), "filters")];

const read = new Map<string, Config>();

function configOf(text: string): Config {
  const before = read.get(text);
  if (before !== undefined) return before;
  const { config, errors } = readConfig(text, "/etc/stoplog/stoplog.yaml", {
    readFilter: (reference) => findFilter(reference, library, "/etc/stoplog"),
    stateDirectory: "/var/lib/stoplog",
  });
  if (config === null) throw new Error(errors.join("\n"));
  read.set(text, config);
  return config;
}
