import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DoctorReport } from "../../src/cli/commands/doctor.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";

const STOPLOG = joinPath(packageRoot(), "bin", "stoplog");
const NEEDED = ["iptables", "ip6tables", "sysctl", "setpriv", "unshare"];
const missing = NEEDED.filter((program) => !hasProgram(program));
const fault = namespaceFault() ?? (missing.length > 0 ? `needs ${missing.join(", ")}` : null);

const CONFIG = `
sources:
  auth: { type: file, path: HOME/auth.log }
  syn: { type: nflog, group: 77 }
targets:
  old: { enforcer: recent, list: stoplogdoctor }
jails:
  sshd: { sources: auth, filter: sshd, target: old }
  synflood: { sources: syn, maxretry: 20 }
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("stoplog doctor on a real kernel", fault), () => {
  const namespace = useNamespace("doctor");
  let home: Home;
  let daemon: RunningDaemon | null = null;

  beforeEach(() => {
    home = new Home();
    writeFileSync(home.file("auth.log"), "");
    home.configure(CONFIG);
    namespace.run("sysctl", "-q", "-w", "net.ipv4.tcp_syncookies=0");
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    home.remove();
  });

  /** `before` is a command that runs it, such as setpriv. */
  function run(args: readonly string[], before: readonly string[] = []) {
    const words = ["netns", "exec", namespace.name, ...before, STOPLOG, "doctor", ...args];
    const { status, stdout, stderr } = spawnSync("ip", words, { encoding: "utf8" });
    return { status, stdout, stderr };
  }

  function examine(
    args: readonly string[] = ["-c", home.file("stoplog.yaml")],
    before: readonly string[] = [],
  ) {
    const { status, stdout } = run([...args, "--socket", home.file("control.sock"), "--json"], before);
    const report = JSON.parse(stdout) as DoctorReport;
    // The machine that runs this test may have other problems.
    expect(status).toBe(report.healthy ? 0 : 1);
    const found = (check: string) =>
      report.findings.find((finding) => finding.check === check && finding.severity !== "fine");
    return { report, found };
  }

  /** Runs a cure word for word, with an empty file system over /etc/sysctl.d so that this machine stays as it is. */
  function cure(lines: readonly string[]): void {
    const script = ["set -e", "mount -t tmpfs none /etc/sysctl.d", ...lines].join("\n");
    namespace.run("unshare", "--mount", "sh", "-c", script);
  }

  it("finds problems, and its cures fix them", () => {
    const before = examine();
    expect(before.found("syn-cookies")?.severity).toBe("trouble");
    const lists = before.report.findings.filter(({ check }) => check === "recent-lists");
    const list = lists.find(({ what }) => what === "The list stoplogdoctor of xt_recent does not exist");
    cure(before.found("syn-cookies")?.cure ?? []);
    cure(list?.cure ?? []);
    const { report, found } = examine();
    expect(found("syn-cookies")).toBeUndefined();
    expect(report.findings.map(({ what }) => what)).not.toContain(list?.what);
    // The list exists; its size is a parameter of the module, for the whole machine.
    expect(report.findings.filter(({ check }) => check === "recent-lists")).toHaveLength(1);
  });

  it("asks the daemon and checks the daemon's configuration", async () => {
    home.configure(CONFIG.replace("target: old", "target: default"));
    daemon = await RunningDaemon.start(home, namespace);
    const { report, found } = examine([]);
    expect(report).toMatchObject({
      config: home.file("stoplog.yaml"),
      daemon: { pid: daemon.pid },
      unseen: [],
    });
    expect(report.looked).toContain("Stoplog's rights");
    for (const check of ["configuration", "rights", "programs", "state-directory", "log-files"])
      expect(found(check)).toBeUndefined();
  });

  it("reports that another program reads the log group", async () => {
    home.configure(CONFIG.replace("target: old", "target: default"));
    expect(examine().found("taken-places")).toBeUndefined();
    daemon = await RunningDaemon.start(home, namespace);
    const args = ["-c", home.file("stoplog.yaml"), "--socket", home.file("other.sock"), "--json"];
    const report = JSON.parse(run(args).stdout) as DoctorReport;
    expect(report.findings.find(({ check }) => check === "taken-places")?.what).toMatch(
      /^Another program \(socket \d+\) holds log group 77 of source syn$/,
    );
  });

  it("reports which rights an ordinary user lacks", () => {
    const user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
    const config = ["-c", home.file("stoplog.yaml")];
    const closed = run([...config, "--socket", home.file("control.sock")], user);
    expect(closed).toMatchObject({
      status: 2,
      stderr: `Cannot read ${home.file("stoplog.yaml")}: permission denied\n`,
    });
    chmodSync(home.path, 0o755);
    chmodSync(home.file("auth.log"), 0o600);
    const { found } = examine(config, user);
    expect(found("rights")?.what).toBe("User 65534 cannot change the firewall: CAP_NET_ADMIN is missing");
    expect(found("log-files")?.what).toBe(`User 65534 cannot read ${home.file("auth.log")}`);
  });

  it("changes nothing", () => {
    const state = () =>
      [
        namespace.run("sysctl", "net.ipv4.tcp_syncookies"),
        namespace.run("iptables-save"),
        spawnSync("find", [home.path, "-printf", "%p %m %T@ %s\n"], { encoding: "utf8" }).stdout,
      ].map((text) => text.replace(/^#.*$/gm, ""));
    namespace.run("iptables-save");
    const before = state();
    examine();
    expect(state()).toEqual(before);
  });
});
