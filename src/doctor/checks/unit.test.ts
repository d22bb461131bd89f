import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../config/package-root.ts";
import { cured, sentences } from "../../../test/support/doctor-machine.ts";
import { unit } from "./unit.ts";

const PACKAGED = join(packageRoot(), "packaging/stoplog.service");
const INSTALLED = "/etc/systemd/system/stoplog.service";
const files = { [INSTALLED]: readFileSync(PACKAGED, "utf8") };
const FINE = "The unit of the service permits what the configuration needs";

const config = (source: string, target: string, rest = ""): string =>
  `sources: { s: ${source} }\ntargets: { t: ${target} }\n` +
  `jails: { j: { sources: s, filter: { failregex: ['^bad <HOST>$'] }, target: t } }\n${rest}`;
const AUTH = "{ type: file, path: /var/log/auth.log }";

describe("the packaged unit", () => {
  it.each([
    "{ enforcer: nftables }",
    "{ enforcer: nft }",
    "{ enforcer: iptables }",
    "{ enforcer: route }",
    "{ enforcer: ipset, sets: [a] }",
  ])("permits %s", (target) => {
    expect(sentences(unit, { files, config: config(AUTH, target) })).toEqual([`fine: ${FINE}`]);
  });

  it.each([
    [AUTH, "{ enforcer: ipset }", "target t (ipset)"],
    [AUTH, "{ enforcer: recent, list: BLOCKER }", "target t (recent)"],
    [AUTH, "{ enforcer: hosts.deny }", "target t (hosts.deny)"],
    [AUTH, "{ enforcer: proxy, format: nginx-geo, path: /srv/nginx/banned }", "target t (proxy)"],
    ["{ type: kmsg }", "{}", "source s (kmsg)"],
    ["{ type: syslog, listen: 'udp:127.0.0.1:514' }", "{}", "source s (syslog)"],
    ["{ type: syslog, listen: 'unix:/srv/log.sock' }", "{}", "source s (syslog)"],
    ["{ type: file, path: /home/a/log }", "{}", "source s (file)"],
    ["{ type: file, path: /tmp/log }", "{}", "source s (file)"],
  ])("needs a drop-in for %s and %s", (source, target, of) => {
    const packets =
      "sources: { s: { type: kmsg } }\ntargets: { t: {} }\njails: { kernel-syn: { sources: s, target: t } }\n";
    const text = source.includes("kmsg") ? packets : config(source, target);
    const { before, after } = cured(unit, { files, config: text });
    expect(before).toEqual([`${INSTALLED} does not permit what ${of} needs`]);
    expect(after).toEqual([FINE]);
  });

  it("needs one drop-in for everything", () => {
    const { before, after } = cured(unit, {
      files,
      config: config(
        "{ type: syslog, listen: 'tcp:127.0.0.1:601' }",
        "[{ enforcer: ipset }, { enforcer: hosts.deny }]",
        `api: { listen: "127.0.0.1:443", tokens: { a: { sha256: "${"0".repeat(64)}" } } }\n`,
      ),
    });
    expect(before).toEqual([
      `${INSTALLED} does not permit what target t (ipset), target t (hosts.deny), source s (syslog), the API needs`,
    ]);
    expect(after).toEqual([FINE]);
  });

  it("is not asked where the service runs as root without limits, or is not installed", () => {
    const recent = config(AUTH, "{ enforcer: recent, list: BLOCKER }");
    const open = { [INSTALLED]: "[Service]\nExecStart=/usr/bin/stoplog run\n" };
    expect(sentences(unit, { files: open, config: recent })).toEqual([`fine: ${FINE}`]);
    expect(sentences(unit, { config: recent })).toEqual([]);
  });

  it("loses what a drop-in takes away", () => {
    const ipset = config(AUTH, "{ enforcer: ipset }");
    const dropIn = (text: string) => ({
      ...files,
      "/etc/systemd/system/stoplog.service.d/a.conf": `[Service]\n${text}\n`,
    });
    const raw = "AmbientCapabilities=CAP_NET_RAW\nCapabilityBoundingSet=CAP_NET_RAW";
    expect(sentences(unit, { files: dropIn(raw), config: ipset })).toEqual([`fine: ${FINE}`]);
    expect(sentences(unit, { files: dropIn(`${raw}\nAmbientCapabilities=`), config: ipset })).toHaveLength(1);
    expect(sentences(unit, { files: dropIn(`${raw}\nAmbientCapabilities=`), config: ipset })[0]).toContain(
      "trouble",
    );
  });
});

const offline = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", PACKAGED]);
const cannot = offline.error !== undefined || /unrecognized|invalid option/i.test(String(offline.stderr));

it.skipIf(cannot)(
  `the packaged unit has an exposure below 2 by systemd-analyze${cannot ? " (skipped: needs systemd 250)" : ""}`,
  () => {
    const [, exposure] = /exposure level for stoplog\.service: ([\d.]+)/.exec(String(offline.stdout)) ?? [];
    expect(Number(exposure)).toBeLessThan(2);
  },
);

it.skipIf(cannot)(
  `systemd reads the packaged unit without a complaint${cannot ? " (skipped: needs systemd 250)" : ""}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-unit-"));
    const copy = join(folder, "stoplog.service");
    // The program of the unit must exist; the package is not installed here.
    writeFileSync(copy, readFileSync(PACKAGED, "utf8").replace("/usr/bin/stoplog run", "/bin/true"));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", copy], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect([verified.stdout, verified.stderr, verified.status]).toEqual(["", "", 0]);
  },
);
