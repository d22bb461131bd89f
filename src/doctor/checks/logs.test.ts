import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { NOW, processFiles, say, sentences, SSHD } from "../../../test/support/doctor-machine.ts";
import { logFiles } from "./log-files.ts";
import { logTimes } from "./log-times.ts";
import { proxied } from "./proxied.ts";

const AUTH = "/var/log/auth.log";
const withZone = (zone: string): string => SSHD.replace("auth.log }", `auth.log, timezone: "${zone}" }`);

describe("the times of a log", () => {
  const iso = (at: number, zone = ""): string =>
    `${new Date(at).toISOString().slice(0, 19)}${zone} host sshd[1]: Connection closed\n`;
  const judge = (line: string, zone: string, writtenAt = NOW) =>
    sentences(logTimes, {
      files: { [AUTH]: line },
      changedAt: { [AUTH]: writtenAt },
      config: withZone(zone),
    });
  const FINE = "fine: Timestamps agree with the time of writing";

  it("agree with the file's modification time", () => {
    expect(judge(iso(NOW - SECOND), "UTC")).toEqual([FINE]);
    expect(judge(iso(NOW + HOUR), "+01:00")).toEqual([FINE]);
    expect(judge(iso(NOW - 3 * DAY), "UTC", NOW - 3 * DAY)).toEqual([FINE]);
  });

  it.each([
    [-5 * HOUR, "trouble", "UTC", "5h behind", '"-05:00"'],
    [0, "trouble", "+02:00", "2h behind", "UTC"],
    [5.5 * HOUR, "advice", "UTC", "5h 30m ahead", '"+05:30"'],
    [-HOUR, "trouble", "+01:00", "2h behind", '"-01:00"'],
  ])("show a log that is written in another zone (%d)", (shift, severity, zone, apart, right) => {
    const [finding] = say(logTimes, {
      files: { [AUTH]: iso(NOW + shift - 2 * SECOND) },
      config: withZone(zone),
    });
    expect(finding).toMatchObject({
      severity,
      what: `Lines of ${AUTH} are ${apart}: source auth assumes the wrong time zone (${zone})`,
      cure: [`# in the configuration, at source auth: timezone: ${right}`],
    });
  });

  it("are not judged for a touched file, or a last line without a timestamp", () => {
    expect(judge(iso(NOW - 2 * HOUR - 40 * SECOND), "UTC")).toEqual([]);
    expect(judge("no time here\n", "UTC")).toEqual([]);
    expect(judge("", "UTC")).toEqual([]);
  });

  it("with a zone show only a clock that is ahead", () => {
    expect(judge(iso(NOW - 2 * HOUR, "Z"), "UTC")).toEqual([]);
    expect(judge(iso(NOW + 2 * HOUR, "Z"), "UTC")).toEqual([
      `advice: The last line of ${AUTH} is 2h ahead of this machine's clock`,
    ]);
    expect(judge(iso(NOW + 7 * MINUTE), "UTC")).toEqual([
      `advice: The last line of ${AUTH} is 7m ahead of this machine's clock`,
    ]);
  });

  it("without a year take the year of the file's modification time", () => {
    const newYear = Date.UTC(2026, 0, 1, 0, 30);
    expect(judge("Jan  1 00:29:58 host sshd[1]: x\n", "UTC", newYear)).toEqual([FINE]);
    expect(judge("Dec 31 19:29:58 host sshd[1]: x\n", "UTC", newYear)).toEqual([
      expect.stringMatching(/^trouble: .* are 5h behind: /) as string,
    ]);
    expect(judge("Jan  1 05:29:58 host sshd[1]: x\n", "UTC", newYear)).toEqual([
      expect.stringMatching(/^advice: .* are 5h ahead: /) as string,
    ]);
  });

  it("do not matter to a jail with a datepattern", () => {
    const config = `
sources: { auth: { type: file, path: ${AUTH}, timezone: UTC } }
jails: { own: { sources: auth, filter: { failregex: "failed from <HOST>$", datepattern: "%d.%m.%Y %H:%M:%S" } } }
`;
    expect(say(logTimes, { files: { [AUTH]: iso(NOW - 5 * HOUR) }, config })).toEqual([]);
  });
});

describe("log files", () => {
  const FINE = "fine: 1 log file can be read and followed";
  const files = { [AUTH]: "x\n" };

  it("must exist", () => {
    expect(sentences(logFiles, { files })).toEqual([FINE]);
    expect(sentences(logFiles, {})).toEqual([`trouble: No file matches source auth: ${AUTH}`]);
  });

  it("may be many for one path, or none", () => {
    const config = SSHD.replace(AUTH, "/srv/*/access $.log");
    expect(
      sentences(logFiles, { files: { "/srv/a/access $.log": "", "/srv/b/access $.log": "" }, config }),
    ).toEqual(["fine: 2 log files can be read and followed"]);
    expect(say(logFiles, { config })[0]?.cure[1]).toBe("ls -l /srv");
  });

  it("of a syslog daemon are abandoned without new lines for days", () => {
    const changedAt = { [AUTH]: NOW - 8 * DAY };
    expect(sentences(logFiles, { files, changedAt })).toEqual([
      `trouble: ${AUTH} has not been written for 8 days`,
    ]);
    const own = "/var/log/named/security.log";
    expect(
      sentences(logFiles, {
        files: { [own]: "" },
        changedAt: { [own]: NOW - 80 * DAY },
        config: SSHD.replace(AUTH, own),
      }),
    ).toEqual([FINE]);
  });

  it("must be on a local disk", () => {
    const mounts = (type: string): string =>
      `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n40 22 0:40 / /var/log rw shared:9 - ${type} server:/log rw\n`;
    expect(sentences(logFiles, { files: { ...files, "/proc/self/mountinfo": mounts("nfs4") } })).toEqual([
      `advice: ${AUTH} is on a network file system (nfs4 at /var/log)`,
    ]);
    expect(sentences(logFiles, { files: { ...files, "/proc/self/mountinfo": mounts("xfs") } })).toEqual([
      FINE,
    ]);
  });

  it.each([
    ["/var/log/auth.log\n/var/log/mail.log\n{\n  rotate 4\n  copytruncate\n}\n", true],
    ["/var/log/*.log {\n  copytruncate\n}\n", true],
    ["/var/log/*.log {\n  create\n  # copytruncate\n}\n", false],
    ["/var/log/nginx/*.log {\n  copytruncate\n}\n", false],
    ["copytruncate\n/var/log/auth.log {\n  weekly\n}\n", true],
    ["copytruncate\n/var/log/auth.log {\n  nocopytruncate\n}\n", false],
  ])("are rotated without loss: %j", (text, loses) => {
    expect(sentences(logFiles, { files: { ...files, "/etc/logrotate.d/rsyslog": text } })).toEqual([
      loses ? `advice: ${AUTH} is rotated with copytruncate (/etc/logrotate.d/rsyslog)` : FINE,
    ]);
  });

  it("are rotated by the main file's settings", () => {
    const rotation = { "/etc/logrotate.d/rsyslog": "/var/log/auth.log { weekly }\n" };
    const main = "weekly\ncopytruncate\ninclude /etc/logrotate.d\n";
    expect(sentences(logFiles, { files: { ...files, ...rotation, "/etc/logrotate.conf": main } })).toEqual([
      `advice: ${AUTH} is rotated with copytruncate (/etc/logrotate.d/rsyslog)`,
    ]);
  });
});

describe("a proxy in front of a service", () => {
  const lines = (address: (i: number) => string, count = 60): string =>
    Array.from(
      { length: count },
      (_, i) => `${address(i)} - - [20/Nov/2026:14:44:48 +0000] "GET / HTTP/1.1" 200 5\n`,
    ).join("");
  const look = (text: string) => sentences(proxied, { files: { [AUTH]: text, ...processFiles(1, "init") } });

  it("is assumed when all clients have one private address", () => {
    expect(look(lines(() => "172.17.0.1"))).toEqual([
      `advice: All of the last 60 clients in ${AUTH} have the address 172.17.0.1: the service appears to be behind a proxy`,
    ]);
  });

  it("is not assumed for several clients, a public one, or few lines", () => {
    const FINE = "fine: Logs contain the addresses of clients, not of a proxy";
    expect(look(lines((i) => (i === 7 ? "192.0.2.1" : "172.17.0.1")))).toEqual([FINE]);
    expect(look(lines(() => "192.0.2.1"))).toEqual([FINE]);
    expect(look(lines(() => "172.17.0.1", 49))).toEqual([]);
  });

  it.each([
    "Nov 20 14:44:48 h sshd[1]: Failed password for root from 10.0.0.1 port 4711 ssh2",
    "Nov 20 14:44:48 h dovecot: imap-login: Disconnected: user=<a>, method=PLAIN, rip=10.0.0.1, lip=10.0.0.2",
    "Nov 20 14:44:48 h postfix/smtpd[1]: warning: unknown[10.0.0.1]: SASL LOGIN authentication failed",
  ])("is seen in %s", (line) => {
    expect(look(`${line}\n`.repeat(50))).toEqual([
      expect.stringContaining("have the address 10.0.0.1") as string,
    ]);
  });
});
