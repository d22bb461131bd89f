import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../config/package-root.ts";
import { CHECKS } from "./checks.ts";
import { examine } from "./examine.ts";
import { advice, fine, trouble } from "./finding.ts";
import { situation } from "../../test/support/doctor-machine.ts";
import { checksPage } from "./reference.ts";

const AILMENT = { what: "w", why: "y", cure: [] };

describe("examine()", () => {
  it("puts trouble first, and names what was checked", () => {
    const check = (name: string, ...findings: ReturnType<typeof fine>[]) => ({
      name,
      title: `the ${name}`,
      reports: "",
      look: () => findings,
    });
    const checks = [
      check("a", fine("ok"), advice(AILMENT)),
      check("b"),
      check("c", trouble(AILMENT)),
      check("d", advice(AILMENT)),
    ];
    const { findings, looked } = examine(situation({}), checks);
    expect(findings.map((found) => `${found.severity} ${found.check}`)).toEqual([
      "trouble c",
      "advice a",
      "advice d",
      "fine a",
    ]);
    expect(looked).toEqual(["the a", "the c", "the d"]);
  });

  it("finds nothing wrong with a good machine, and no trouble on an empty one", () => {
    const healthy = examine(
      situation({
        files: {
          "/var/log/auth.log":
            "2026-11-20T14:44:59Z host sshd[1]: Connection closed by 192.0.2.1 port 4711\n",
          "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
          "/etc/logrotate.d/rsyslog": "/var/log/auth.log\n{\n\trotate 4\n\tweekly\n}\n",
          "/proc/sys/net/ipv4/tcp_syncookies": "1\n",
          "/proc/sys/kernel/osrelease": "6.12.48+deb13-amd64\n",
          "/proc/self/status": "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n",
        },
      }),
    );
    expect(healthy.findings.filter(({ severity }) => severity !== "fine")).toEqual([]);
    expect(healthy.looked.length).toBeGreaterThan(9);
    const empty = examine(situation({ config: "state: false\nlists: { a: { file: /a, verdict: drop } }\n" }));
    expect(empty.findings.filter(({ severity }) => severity === "trouble")).toEqual([]);
  });
});

describe("the checks", () => {
  it("have unique names, and say when they report something", () => {
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
    for (const { reports } of CHECKS) expect(reports).toMatch(/^\S.{8,}[^.]$/);
  });

  it(`have an up-to-date reference (else: node scripts/run-ts.mjs scripts/generate-reference.ts)`, () => {
    expect(readFileSync(join(packageRoot(), "docs/reference/doctor-checks.md"), "utf8")).toBe(checksPage());
  });

  it("survive a machine whose files are all nonsense", () => {
    const paths = [
      "/proc/self/status",
      "/proc/self/mountinfo",
      "/proc/meminfo",
      "/proc/modules",
      "/proc/net/if_inet6",
      "/proc/net/stat/nf_conntrack",
      "/proc/net/netfilter/nfnetlink_log",
      "/proc/net/udp",
      "/proc/sys/kernel/osrelease",
      "/proc/sys/net/ipv4/tcp_syncookies",
      "/proc/sys/net/netfilter/nf_conntrack_max",
      "/proc/sys/net/netfilter/nf_conntrack_count",
      "/proc/sys/net/ipv4/conf/all/rp_filter",
      "/proc/1/comm",
      "/proc/1/cmdline",
      "/etc/rsyslog.conf",
      "/etc/logrotate.conf",
      "/etc/logrotate.d/x",
      "/etc/ssh/sshd_config",
      "/etc/systemd/journald.conf",
      "/var/log/auth.log",
    ];
    const nonsense = [
      "",
      "\0\xff\n",
      "{".repeat(70_000),
      "a = ".repeat(20_000),
      '[[[Journal]\n=\n("'.repeat(9000),
    ];
    for (const text of nonsense) {
      const files = Object.fromEntries(paths.map((path) => [path, text]));
      expect(() => examine(situation({ files, daemon: { pid: 1, warnings: [] } }))).not.toThrow();
    }
  });
});
