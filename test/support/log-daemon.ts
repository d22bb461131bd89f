import { type ChildProcess, execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { packageRoot } from "../../src/config/package-root.ts";
import { hasProgram, type Namespace } from "./namespace.ts";
import { type Home } from "./running-daemon.ts";
import { until } from "./waiting.ts";

/** A log daemon of Debian: how it is configured and started. */
export interface LogDaemonKind {
  readonly name: "rsyslog" | "syslog-ng";
  /** Why it cannot run here; null when it can. */
  readonly fault: string | null;
  /** The configuration that docs/guide/sources.md recommends, with the socket in `home` and statistics every second. */
  recommended(home: Home): string;
  /** The same without the settings that keep the log daemon from waiting for Stoplog. */
  careless(home: Home): string;
  /** A whole configuration: reads messages from `HOME/log`, passes them to `block` and to the file `HOME/all.log`. */
  configuration(home: Home, block: string): string;
  command(home: Home): readonly [program: string, ...args: string[]];
}

const ng = unpackedAt("syslog-ng-core");

export const RSYSLOG: LogDaemonKind = {
  name: "rsyslog",
  fault: hasProgram("rsyslogd") ? null : "needs rsyslogd",
  recommended: (home) =>
    guideBlock("/etc/rsyslog.d/30-stoplog.conf")
      .replace("/run/stoplog/syslog.sock", home.file("syslog.sock"))
      .replace('interval="60"', 'interval="1"'),
  careless: (home) => RSYSLOG.recommended(home).replaceAll(/^\$ActionQueue.*\n/gm, ""),
  configuration: (home, block) => `
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${home.file("log")}" RateLimit.Interval="0")
${block}
*.* ${home.file("all.log")}
`,
  command: (home) => ["rsyslogd", "-n", "-f", home.file("daemon.conf"), "-i", home.file("daemon.pid")],
};

export const SYSLOG_NG: LogDaemonKind = {
  name: "syslog-ng",
  fault: existsSync(ng) ? null : "needs syslog-ng in .cache/debian (npm test unpacks it there)",
  recommended: (home) =>
    guideBlock("/etc/syslog-ng/conf.d/stoplog.conf")
      .replace("/run/stoplog/syslog.sock", home.file("syslog.sock"))
      .replace("stats-freq(60)", "stats-freq(1)"),
  careless: (home) =>
    SYSLOG_NG.recommended(home).replace(
      "destination(d_stoplog); };",
      "destination(d_stoplog); flags(flow-control); };",
    ),
  configuration: (home, block) => `@version: 3.38
options { chain_hostnames(off); flush_lines(0); use_dns(no); stats_freq(0); };
source s_src { unix-dgram("${home.file("log")}"); internal(); };
destination d_all { file("${home.file("all.log")}"); };
log { source(s_src); destination(d_all); };
${block}
`,
  command: (home) => [
    "env",
    `LD_LIBRARY_PATH=${["usr/lib/syslog-ng", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"].map((lib) => join(ng, lib)).join(":")}`,
    join(ng, "usr/sbin/syslog-ng"),
    "--foreground",
    "--no-caps",
    `--module-path=${join(ng, "usr/lib/syslog-ng/3.38")}`,
    `--cfgfile=${home.file("daemon.conf")}`,
    `--persist-file=${home.file("daemon.persist")}`,
    `--control=${home.file("daemon.ctl")}`,
    `--pidfile=${home.file("daemon.pid")}`,
  ],
};

/** A code block of docs/guide/sources.md by the file that its first line names: the tests run what the guide recommends. */
export function guideBlock(file: string): string {
  const page = readFileSync(join(packageRoot(), "docs/guide/sources.md"), "utf8");
  const block = page.split("```").find((text) => text.startsWith(`\n# ${file}\n`));
  if (block === undefined) throw new Error(`the guide has no block for ${file}`);
  return block;
}

/** A running log daemon in a namespace. */
export class LogDaemon {
  readonly #kind: LogDaemonKind;
  readonly #home: Home;
  readonly #namespace: Namespace;
  #process: ChildProcess | null = null;
  #output = "";

  constructor(kind: LogDaemonKind, home: Home, namespace: Namespace) {
    this.#kind = kind;
    this.#home = home;
    this.#namespace = namespace;
  }

  /** Starts it with a block in its configuration and waits until it accepts messages. */
  async start(block = this.#kind.recommended(this.#home)): Promise<void> {
    const home = this.#home;
    writeFileSync(home.file("daemon.conf"), this.#kind.configuration(home, block));
    rmSync(home.file("log"), { force: true });
    const [program, ...args] = this.#kind.command(home);
    const child = this.#namespace.spawn(program, args);
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    }
    await until(
      `${this.#kind.name} listens`,
      () => existsSync(home.file("log")) && existsSync(home.file("daemon.pid")),
      () => this.#output,
    );
  }

  get pid(): number {
    return Number(readFileSync(this.#home.file("daemon.pid"), "utf8"));
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#process;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    this.#process = null;
    let ended = false;
    child.once("exit", () => (ended = true));
    process.kill(this.pid, signal);
    try {
      await until(
        `${this.#kind.name} ends`,
        () => ended,
        () => this.#output,
      );
    } finally {
      if (!ended) process.kill(this.pid, "SIGKILL");
      rmSync(this.#home.file("daemon.pid"), { force: true });
    }
  }

  /** Sends failed logins of one address as syslog(3) does; resolves when all were accepted. */
  fail(address: string, count: number): Promise<void> {
    const script = `
use Socket; use POSIX "strftime"; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; my $to = sockaddr_un($ARGV[0]);
for (my $i = 0; $i < $ARGV[2]; $i++) {
  my $time = strftime("%b %e %H:%M:%S", localtime);
  send(S, "<38>$time sshd[4711]: Failed password for root from $ARGV[1] port $i ssh2", 0, $to) or die $!;
}`;
    const args = ["-e", script, this.#home.file("log"), address, String(count)];
    return new Promise((resolve, reject) => {
      execFile("perl", args, (thrown) => (thrown === null ? resolve() : reject(thrown)));
    });
  }

  /** Whether its file did not grow for a second. */
  async standsStill(): Promise<boolean> {
    const before = this.written();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return before > 0 && this.written() === before;
  }

  /** The number of failed logins in the file that the log daemon writes. */
  written(): number {
    const done = spawnSync("grep", ["-c", "Failed password", this.#home.file("all.log")], {
      encoding: "utf8",
    });
    return Number(done.stdout);
  }
}
