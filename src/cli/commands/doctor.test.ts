import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type DoctorReport, reportLines } from "./doctor.ts";
import { StandInDaemon, STATUS } from "../../../test/support/stand-in-daemon.ts";
import { styleFor } from "../output/terminal.ts";

const style = styleFor({ isTTY: false, env: {} });
const daemon = new StandInDaemon();
const folder = mkdtempSync(join(tmpdir(), "stoplog-doctor-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const REPORT: DoctorReport = {
  config: null,
  daemon: null,
  healthy: false,
  findings: [
    {
      check: "a",
      severity: "trouble",
      what: "It \x1b[2J hurts",
      why: "Ouch",
      cure: ["# by hand:", "rm 'x y'"],
    },
    { check: "b", severity: "advice", what: "It itches", why: "Meh", cure: [] },
    { check: "c", severity: "fine", what: "All is well", why: null, cure: [] },
  ],
  looked: ["one", "two"],
  unseen: ["the daemon, since there is no /x"],
};

describe("the doctor's report", () => {
  it("prints the problem, why it matters and the cure, escaped for a terminal", () => {
    expect([...reportLines(REPORT, { style, all: false })]).toEqual([
      "trouble: It \\x1b[2J hurts",
      "  Ouch",
      "    # by hand:",
      "    rm 'x y'",
      "",
      "advice: It itches",
      "  Meh",
      "",
      "1 trouble, 1 piece of advice",
      "Not checked: the daemon, since there is no /x",
    ]);
  });

  it("is short on a healthy machine, and shows what is fine with --all", () => {
    const healthy = { ...REPORT, healthy: true, findings: REPORT.findings.slice(2), unseen: [] };
    expect([...reportLines(healthy, { style, all: false })]).toEqual([
      "No problems found. Checked: one, two.",
    ]);
    expect([...reportLines(healthy, { style, all: true })]).toEqual([
      "fine: All is well",
      "",
      "No problems found. Checked: one, two.",
    ]);
  });
});

describe("stoplog doctor", () => {
  const GOOD = `
sources: { auth: { type: file, path: ${join(folder, "auth.log")} } }
jails: { sshd: { sources: auth, filter: sshd } }
targets: { default: { enforcer: dry-run } }
state: ${folder}
`;

  it("repeats the daemon's warnings and checks its configuration", async () => {
    const path = write("good.yaml", GOOD);
    write("auth.log", "");
    const asked = await daemon.serve(() => ({ body: { ...STATUS, config: path, pid: process.pid } }));
    const { status, out } = await daemon.run(["doctor", "--json"]);
    const report = JSON.parse(out) as DoctorReport;
    expect(asked).toEqual([{ method: "GET", url: "/v1/status", body: null }]);
    expect({ status, ...report }).toMatchObject({
      status: 1,
      config: path,
      daemon: { pid: process.pid, version: "9.8.7" },
      healthy: false,
      unseen: [],
    });
    expect(report.findings).toContainEqual({
      check: "daemon",
      severity: "trouble",
      what: "Cannot read /var/log/x: permission denied",
      why: "The daemon reports it",
      cure: [expect.stringMatching(/^# mend what the sentence names/), "stoplog status"],
    });
  });

  it("checks the machine without a daemon", async () => {
    const { out } = await daemon.run(["doctor", "--json", "-c", write("good.yaml", GOOD)]);
    const report = JSON.parse(out) as DoctorReport;
    expect(report.unseen).toEqual([`the daemon: ${daemon.socket} does not exist`]);
    expect(report.looked).toContain("Node.js");
  });

  it("reports an invalid configuration as a finding", async () => {
    const path = write("bad.yaml", GOOD.replace("path:", "pth:"));
    const { status, out } = await daemon.run(["doctor", "-c", path]);
    expect(status).toBe(1);
    expect(out).toContain(
      `trouble: Cannot use source auth: path is missing (${path}:2:12), and 1 more error`,
    );
    expect(out).toContain(`    stoplog check -c ${path}\n`);
  });

  it("exits with 2 when the configuration cannot be read", async () => {
    const path = join(folder, "none.yaml");
    const { status, err } = await daemon.run(["doctor", "-c", path]);
    expect({ status, err }).toEqual({ status: 2, err: `Cannot read ${path}: no such file or directory\n` });
  });
});
