import { describe, expect, it } from "vitest";
import { read } from "../../test/support/read-config-text.ts";
import { targetSchemas } from "./targets.ts";

describe("readConfig() says what is wrong elsewhere", () => {
  const sources = (options: string) => `sources:\n  a: ${options}\n`;
  const targets = (options: string) => `targets:\n  t: ${options}\n`;

  it.each([
    [
      sources("/var/log/x"),
      "source a: type is missing: one of file, syslog, journal, kmsg, nflog, zmq, command, stdin (stoplog.yaml:2:3)",
    ],
    [
      sources("{ path: /x }"),
      "source a: type is missing: one of file, syslog, journal, kmsg, nflog, zmq, command, stdin (stoplog.yaml:2:3)",
    ],
    [
      sources("{ type: fiel, path: /x }"),
      'source a: type must be one of file, syslog, journal, kmsg, nflog, zmq, command, stdin, not "fiel" (stoplog.yaml:2:14)',
    ],
    [
      sources("{ type: journald }"),
      'source a: type must be one of file, syslog, journal, kmsg, nflog, zmq, command, stdin, not "journald" (did you mean journal?) (stoplog.yaml:2:14)',
    ],
    [sources("{ type: file }"), "source a: path is missing (stoplog.yaml:2:3)"],
    [
      sources("{ type: file, path: x.log }"),
      'source a: path must begin with /, not "x.log" (stoplog.yaml:2:26)',
    ],
    [
      sources("{ type: file, path: [/x, y] }"),
      'source a: path 2 must begin with /, not "y" (stoplog.yaml:2:31)',
    ],
    [
      sources("{ type: file, path: [] }"),
      "source a: path must be an absolute path or a list of them, not an empty list (stoplog.yaml:2:26)",
    ],
    [
      sources("{ type: file, path: /x, start: middle }"),
      'source a: start must be end or beginning, not "middle" (stoplog.yaml:2:37)',
    ],
    [sources("{ type: stdin, max_line: 100 }"), "source a: max_line must be 256 or more (stoplog.yaml:2:31)"],
    [
      sources("{ type: stdin, max_line: 2000000 }"),
      "source a: max_line must be 1048576 or less (stoplog.yaml:2:31)",
    ],
    [
      sources("{ type: stdin, timezone: Mars }"),
      'source a: timezone must be local, UTC, an offset such as +02:00 or a name such as Europe/Berlin, not "Mars" (stoplog.yaml:2:31)',
    ],
    [sources("{ type: syslog }"), "source a: listen is missing (stoplog.yaml:2:3)"],
    [
      sources("{ type: syslog, listen: /run/x }"),
      "source a: listen cannot be used: it must be unix:/PATH, udp:HOST:PORT or tcp:HOST:PORT (stoplog.yaml:2:30)",
    ],
    [
      sources("{ type: syslog, listen: 'udp:localhost:70000' }"),
      "source a: listen cannot be used: 70000 is not a port (stoplog.yaml:2:30)",
    ],
    [
      sources("{ type: syslog, listen: 'unix:/x', mode: 888 }"),
      "source a: mode must be permissions in octal such as 0660, not 888 (stoplog.yaml:2:47)",
    ],
    [
      sources("{ type: syslog, listen: 'udp:[::1]:514', group: adm }"),
      "source a: group needs listen: unix:PATH (stoplog.yaml:2:47)",
    ],
    [
      sources("{ type: journal, unit: x }"),
      "source a: unknown key unit (did you mean units?) (stoplog.yaml:2:23)",
    ],
    [
      sources("{ type: journal, matches: x }"),
      'source a: matches must be a field and its value such as _TRANSPORT=kernel, or + between alternatives, not "x" (stoplog.yaml:2:32)',
    ],
    [
      sources("{ type: command, command: ls }"),
      'source a: command must be a list of words, not "ls" (stoplog.yaml:2:32)',
    ],
    [sources("{ type: command, command: [] }"), "source a: command must name a program (stoplog.yaml:2:32)"],
    [
      targets("{ enforcer: pf }"),
      `target t: enforcer must be one of ${Object.keys(targetSchemas).join(", ")}, not "pf" (stoplog.yaml:2:18)`,
    ],
    [
      targets("{ verdict: throttle }"),
      "target t: rate is missing; throttle needs one such as 10/minute (stoplog.yaml:2:3)",
    ],
    [
      targets("{ verdict: throttle, rate: 0/minute }"),
      'target t: rate must be a rate such as 10/minute (second, minute, hour, day), not "0/minute" (stoplog.yaml:2:33)',
    ],
    [
      targets("{ verdict: throttle, rate: 1/hour, burst: 0 }"),
      "target t: burst must be 1 or more (stoplog.yaml:2:48)",
    ],
    [targets("{ rate: 1/hour }"), "target t: rate needs verdict: throttle (stoplog.yaml:2:8)"],
    [
      targets("{ ports: [22, 0] }"),
      'target t: ports 2 must be a port from 1 to 65535, a range such as "80-90" or a name such as ssh, not 0 (stoplog.yaml:2:20)',
    ],
    [
      targets("{ ports: 90-80 }"),
      'target t: ports must be a port from 1 to 65535, a range such as "80-90" or a name such as ssh, not "90-80" (stoplog.yaml:2:15)',
    ],
    [
      targets("{ ports: toString }"),
      'target t: ports must be a port from 1 to 65535, a range such as "80-90" or a name such as ssh, not "toString" (stoplog.yaml:2:15)',
    ],
    [
      targets("{ ports: 22, protocols: [tpc] }"),
      'target t: protocols 1 must be tcp, udp, sctp or dccp, not "tpc" (stoplog.yaml:2:31)',
    ],
    [
      targets("{ protocols: udp }"),
      'target t: protocols needs ports (for all of them: "1-65535") (stoplog.yaml:2:8)',
    ],
    [
      targets("{ sets: [inet t s], verdict: drop }"),
      "target t: verdict cannot be combined with sets: your own rules decide what happens to their elements (stoplog.yaml:2:26)",
    ],
    [
      targets("{ sets: blocked }"),
      'target t: sets must be family, table and name of a set, such as "inet filter blocked4", not "blocked" (stoplog.yaml:2:14)',
    ],
    [targets("{ enforcer: recent }"), "target t: list is missing (stoplog.yaml:2:3)"],
    [targets("[]"), "target t: the list of its enforcers is empty (stoplog.yaml:2:6)"],
    [
      targets("[{ enforcer: route, type: hole }]"),
      'target t: type must be blackhole, unreachable or prohibit, not "hole" (stoplog.yaml:2:32)',
    ],
    [
      targets('{ enforcer: iptables, chain: "-F" }'),
      'target t: chain must be the name of a chain of at most 31 letters, digits, _, ., + and -, not "-F" (stoplog.yaml:2:35)',
    ],
    [targets("5"), "target t: it must be a map of keys and values (stoplog.yaml:2:6)"],
    ["jailz: {}\n", "the configuration: unknown key jailz (did you mean jails?) (stoplog.yaml:1:1)"],
    ["jails: [a]\n", "the configuration: jails must be a map of names (stoplog.yaml:1:8)"],
    ["just words\n", "the configuration: it must be a map of keys and values (stoplog.yaml:1:1)"],
    ["limits: { bans: 0 }\n", "the configuration: limits.bans must be 1 or more (stoplog.yaml:1:17)"],
    [
      "limits: { ban: 1 }\n",
      "the configuration: unknown key ban in limits (did you mean bans?) (stoplog.yaml:1:11)",
    ],
    ["log: loud\n", "the configuration: log must be a map of keys and values (stoplog.yaml:1:6)"],
    [
      "log: { level: loud }\n",
      'the configuration: log.level must be error, warn, info or debug, not "loud" (stoplog.yaml:1:15)',
    ],
    ["state: var\n", 'the configuration: state must begin with /, not "var" (stoplog.yaml:1:8)'],
    [
      "state: true\n",
      "the configuration: state must be the absolute path of a directory, or false to keep nothing, not true (stoplog.yaml:1:8)",
    ],
    ["defaults: { maxretry: 0 }\n", "defaults: maxretry must be 1 or more (stoplog.yaml:1:23)"],
    ["defaults: { sources: x }\n", "defaults: source x does not exist; none exist (stoplog.yaml:1:22)"],
    ["log: {}\nlog: {}\n", "the configuration: duplicate key log (stoplog.yaml:2:1)"],
    ["<<: {}\n", "the configuration: unknown key << (stoplog.yaml:1:1)"],
    ["log: 'x\n", "the configuration: quote is never closed (stoplog.yaml:1:6)"],
  ])("%j: %s", (text, sentence) => {
    const { config, errors } = read(text);
    expect(config).toBeNull();
    expect(errors).toEqual([`Cannot use ${sentence}`]);
  });
});
