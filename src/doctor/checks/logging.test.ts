import { describe, expect, it } from "vitest";
import { cured, processFiles, say, sentences, SSHD } from "../../../test/support/doctor-machine.ts";
import { journald } from "./journald.ts";
import { rsyslog } from "./rsyslog.ts";
import { sshd } from "./sshd.ts";

const JOURNAL = `
sources: { journal: { type: journal, units: [ssh.service] } }
jails: { sshd: { sources: journal, filter: sshd } }
`;
const JOURNALD = processFiles(300, "/usr/lib/systemd/systemd-journald");
const RSYSLOGD = processFiles(400, "/usr/sbin/rsyslogd", "-n");

describe("journald", () => {
  const limit = (conf: string, more: Readonly<Record<string, string>> = {}) =>
    sentences(journald, {
      config: JOURNAL,
      files: { ...JOURNALD, "/etc/systemd/journald.conf": conf, ...more },
    });
  const LIMITED = "advice: journald drops what a service logs beyond 10,000 messages in 30s";
  const FINE = "fine: journald passes all messages on";

  it.each([
    ["[Journal]\n#RateLimitIntervalSec=30s\n", LIMITED],
    ["[Journal]\nRateLimitIntervalSec=0\n", FINE],
    ["[Journal]\nRateLimitBurst=0\n", FINE],
    ["[Journal]\nRateLimitIntervalSec=1s\nRateLimitBurst=20000\n", FINE],
    [
      "[Journal]\nRateLimitIntervalSec=1min 40s\nRateLimitBurst=5000\n",
      LIMITED.replace("10,000 messages in 30s", "5,000 messages in 1m 40s"),
    ],
    ["[Other]\nRateLimitIntervalSec=0\n", LIMITED],
    ["[Journal]\nRateLimitIntervalSec=often\n", LIMITED],
    ["[Journal]\nStorage=none\nRateLimitBurst=0\n", "trouble: journald stores nothing: Storage=none"],
  ])("with %j", (conf, sentence) => {
    expect(limit(conf)).toEqual([sentence]);
  });

  it("reads drop-ins after the file, by their names", () => {
    const dropIns = {
      "/etc/systemd/journald.conf.d/20-off.conf": "[Journal]\nRateLimitIntervalSec=0\n",
      "/usr/lib/systemd/journald.conf.d/10-on.conf": "[Journal]\nRateLimitIntervalSec=30s\n",
    };
    expect(limit("[Journal]\nRateLimitBurst=10\n", dropIns)).toEqual([FINE]);
    expect(
      limit("[Journal]\n", {
        ...dropIns,
        "/usr/lib/systemd/journald.conf.d/20-off.conf": "[Journal]\nRateLimitIntervalSec=30s\n",
      }),
    ).toEqual([FINE]);
  });

  it("prefers a unit's own limit", () => {
    const unit = { "/usr/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n" };
    expect(limit("[Journal]\n", unit)).toEqual([LIMITED.replace("a service", "ssh.service")]);
    expect(
      limit("[Journal]\n", {
        ...unit,
        "/etc/systemd/system/ssh.service.d/log.conf": "[Service]\nLogRateLimitIntervalSec=0\n",
      }),
    ).toEqual([FINE]);
  });

  it.each([
    ["[Journal]\nStorage=none\nRateLimitIntervalSec=30s\n", {}, 2],
    ["[Journal]\n", { "/etc/systemd/journald.conf.d/60-a.conf": "[Journal]\nRateLimitBurst=500\n" }, 1],
    [
      "[Journal]\n",
      {
        "/usr/lib/systemd/system/ssh.service": "[Service]\nLogRateLimitIntervalSec=1h\nLogRateLimitBurst=9\n",
      },
      1,
    ],
  ])("is cured by its cures: %j with %j", (conf, more, troubles) => {
    const files = { ...JOURNALD, "/etc/systemd/journald.conf": conf, ...more };
    const { before, after } = cured(journald, { config: JOURNAL, files });
    expect(before).toHaveLength(troubles);
    expect(after).toEqual(["journald passes all messages on"]);
  });

  it("must run, for a source of type journal", () => {
    expect(sentences(journald, { config: JOURNAL })).toEqual([
      "trouble: This machine has no journal: journald does not run",
    ]);
    expect(say(journald, { config: JOURNAL, files: { "/var/log/journal/0/system.journal": "" } })).toEqual(
      [],
    );
    expect(say(journald, { config: SSHD })).toEqual([]);
  });

  it("must forward to rsyslog, for a file source", () => {
    const files = {
      ...JOURNALD,
      ...RSYSLOGD,
      "/etc/systemd/journald.conf": "[Journal]\nForwardToSyslog=no\n",
      "/etc/rsyslog.conf": 'module(load="imuxsock")\n',
    };
    expect(sentences(journald, { files })).toEqual([
      "trouble: journald forwards nothing to rsyslog (ForwardToSyslog=no), and rsyslog does not read the journal",
    ]);
    expect(
      sentences(journald, { files: { ...files, "/etc/rsyslog.d/j.conf": 'module(load="imjournal")\n' } }),
    ).toEqual([FINE]);
  });
});

describe("rsyslog", () => {
  const limit = (conf: string, more: Readonly<Record<string, string>> = {}) =>
    sentences(rsyslog, { files: { ...RSYSLOGD, "/etc/rsyslog.conf": conf, ...more } });
  const FINE = "fine: rsyslog passes all messages on";

  it.each([
    ['module(load="imuxsock") # local system logging', FINE],
    [
      'module(load="imuxsock"\n  SysSock.RateLimit.Interval="5"\n  SysSock.RateLimit.Burst="500")',
      "advice: rsyslog's imuxsock drops messages beyond 500 in 5 s",
    ],
    [
      "$ModLoad imuxsock\n$SystemLogRateLimitInterval 2\n$SystemLogRateLimitBurst 50",
      "advice: rsyslog's imuxsock drops messages beyond 50 in 2 s",
    ],
    ["$ModLoad imuxsock\n$SystemLogRateLimitInterval 1\n$SystemLogRateLimitBurst 5000", FINE],
    ['# module(load="imjournal")\nmodule(load="imuxsock")', FINE],
    [
      'module(load="imjournal" StateFile="imjournal.state")',
      "advice: rsyslog's imjournal drops messages beyond 20,000 in 600 s",
    ],
    ['module(load="imjournal" Ratelimit.Interval="0")', FINE],
    [
      'module(load="imtcp")\ninput(type="imtcp" port="514")',
      "advice: rsyslog splits long messages that it gets over TCP",
    ],
    ["$ModLoad imtcp\n$InputTCPServerRun 514", "advice: rsyslog splits long messages that it gets over TCP"],
    ['module(load="imtcp")\ninput(type="imtcp" port="514"\n  discardTruncatedMsg="on")', FINE],
    ['module(load="imudp")\ninput(type="imudp" port="514")', FINE],
  ])("with %j", (conf, sentence) => {
    expect(limit(conf)).toEqual([sentence]);
  });

  it("tells of repeated messages that become one line, with a cure that works", () => {
    const conf = { "/etc/rsyslog.conf": "$ModLoad imuxsock\n  $RepeatedMsgReduction on # Ubuntu\n" };
    const { before, after } = cured(rsyslog, { files: { ...RSYSLOGD, ...conf } });
    expect(before).toEqual(["rsyslog joins messages that repeat: $RepeatedMsgReduction is on"]);
    expect(after).toEqual([FINE.replace("fine: ", "")]);
  });

  it("reads rsyslog.d as well", () => {
    expect(
      limit('module(load="imuxsock")', { "/etc/rsyslog.d/a.conf": "$SystemLogRateLimitInterval 10" }),
    ).toEqual(["advice: rsyslog's imuxsock drops messages beyond 200 in 10 s"]);
  });

  it("does not matter when it does not run, or no source reads its files", () => {
    const conf = { "/etc/rsyslog.conf": 'module(load="imjournal")' };
    expect(say(rsyslog, { files: conf })).toEqual([]);
    const config = SSHD.replace("/var/log/auth.log", "/srv/own.log");
    expect(say(rsyslog, { files: { ...conf, ...RSYSLOGD }, config })).toEqual([]);
  });
});

describe("sshd", () => {
  const settings = (text: string, more: Readonly<Record<string, string>> = {}) =>
    sentences(sshd, { files: { "/etc/ssh/sshd_config": text, ...more } });
  const FINE = "fine: sshd logs failures";
  const QUIET = "trouble: sshd does not log failures: LogLevel QUIET";

  it.each([
    ["#LogLevel QUIET\n", FINE],
    ["LogLevel QUIET\n", QUIET],
    ['loglevel = "quiet"\n', QUIET],
    ["LogLevel VERBOSE\nLogLevel QUIET\n", FINE],
    ["Match User backup\n  LogLevel QUIET\n", FINE],
    ["UseDNS yes\n", "advice: sshd resolves the host name of each client: UseDNS yes"],
    ["UseDNS no\n", FINE],
    ["SyslogFacility LOCAL3\n", "advice: sshd logs to the facility LOCAL3"],
    ["SyslogFacility AUTHPRIV\n", FINE],
  ])("with %j", (text, sentence) => {
    expect(settings(text)).toEqual([sentence]);
  });

  it("reads included files at the Include; a Match ends with its file", () => {
    const main = "Include /etc/ssh/sshd_config.d/*.conf\nLogLevel QUIET\n";
    expect(settings(main, { "/etc/ssh/sshd_config.d/a.conf": "LogLevel INFO\n" })).toEqual([FINE]);
    expect(settings(main, { "/etc/ssh/sshd_config.d/a.conf": "Match all\nLogLevel INFO\n" })).toEqual([
      QUIET,
    ]);
    expect(settings("Include sshd_config\n")).toEqual([FINE]);
  });

  it("is cured by its cures, whichever file has the setting", () => {
    const files = {
      "/etc/ssh/sshd_config":
        "Include sshd_config.d/*.conf\n  loglevel=QUIET\nMatch User a\nLogLevel QUIET\nUseDNS yes\n",
      "/etc/ssh/sshd_config.d/a b.conf": "UseDNS yes\nSyslogFacility LOCAL0\n",
    };
    const { before, after } = cured(sshd, { files });
    expect(before).toHaveLength(3);
    expect(after).toEqual(["sshd logs failures"]);
  });

  it("does not matter without a jail for it", () => {
    const files = { "/etc/ssh/sshd_config": "LogLevel QUIET\n" };
    expect(say(sshd, { files, config: SSHD.replace("filter: sshd", "filter: dovecot") })).toEqual([]);
    expect(say(sshd, {})).toEqual([]);
  });
});
