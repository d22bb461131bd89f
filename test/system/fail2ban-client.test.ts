import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { run as runCli } from "../support/run-cli.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { eventually } from "../support/waiting.ts";

const UNPACKED = unpackedAt("fail2ban");
const PYTHON = "/usr/bin/python3";
const MODULES = join(UNPACKED, "usr/lib/python3/dist-packages");
const fault =
  namespaceFault() ??
  (existsSync(UNPACKED) ? null : "needs fail2ban in .cache/debian (npm test unpacks it there)") ??
  (existsSync(PYTHON) ? null : `needs ${PYTHON}`);

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/**
 * What an exporter does, with socket code of its own: a pickle of the protocol that its Python writes, and the terminator. Prints the values
 * of `[["status"], …]`, one JSON document a line.
 */
const EXPORTER = `
import json, pickle, socket, sys
END = b"<F2B_END_COMMAND>"
def ask(path, command, protocol):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(path)
        client.sendall(pickle.dumps(command, protocol) + END)
        answer = b""
        while not answer.endswith(END):
            answer += client.recv(4096)
        client.sendall(b"<F2B_CLOSE_COMMAND>" + END)
        assert client.recv(1) == b""
    return pickle.loads(answer[:-len(END)])
for protocol in range(6):
    ok, status = ask(sys.argv[1], ["status"], protocol)
    jails = dict(status)["Jail list"].split(", ")
    result = {}
    for jail in jails:
        ok, (filter, actions) = ask(sys.argv[1], ["status", jail], protocol)
        counts = {**dict(filter[1]), **dict(actions[1])}
        for setting in ("bantime", "findtime", "maxretry"):
            counts[setting] = ask(sys.argv[1], ["get", jail, setting], protocol)[1]
        result[jail] = counts
    print(json.dumps(result))
`;

/** Debian's client, as its program starts it, in a process of its own for each command line; its modules are read once. */
const CLIENTS = `
import json, os, sys, tempfile
sys.path.insert(0, sys.argv[1])
from fail2ban.client.fail2banclient import exec_command_line
results = []
for argv in json.loads(sys.argv[2]):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                exec_command_line(argv)
            except SystemExit as end:
                os._exit(end.code or 0)
            os._exit(99)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        results.append({"status": status, "out": texts[0], "err": texts[1]})
print(json.dumps(results))
`;

/** Without the time and the process number of a line of the log. */
const bare = (text: string): string => text.replaceAll(/^[\d-]+ [\d:,]+ fail2ban +\[\d+\]: /gm, "");

/** fail2ban's own class for the socket: one connection, several commands, and what an exception becomes. */
const CSOCKET = `
import sys
sys.path.insert(0, sys.argv[2])
from fail2ban.client.csocket import CSocket
client = CSocket(sys.argv[1])
print(client.send(["ping"]), client.send(["get", "web", "maxretry"]), client.send(["status", "x"]), client.send(["set", "web", "maxretry", "x"]))
client.close()
`;

describe.skipIf(fault !== null)(titled("fail2ban's client with Stoplog's daemon", fault), () => {
  let namespace: Namespace;
  let home: Home;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    namespace = Namespace.create();
    home = new Home();
    cpSync(join(UNPACKED, "etc/fail2ban"), home.file("fail2ban"), { recursive: true });
    writeFileSync(home.file("auth.log"), "");
    writeFileSync(home.file("fail2ban/jail.local"), `[sshd]\nlogpath = ${home.file("auth.log")}\n`);
    home.configure(`
state: HOME/state
sources: { auth: { type: file, path: HOME/auth.log } }
jails:
  ssh: { sources: [auth], filter: { failregex: ["^bad <HOST>$"] }, maxretry: 2, findtime: 5m, bantime: 1h }
  web: { sources: [auth], filter: { failregex: ["^fail <HOST>$"], ignoreregex: [none] }, ignoreip: [203.0.113.0/24] }
api: { fail2ban_socket: HOME/run/fail2ban.sock }
`);
    daemon = await RunningDaemon.start(home, namespace);
  });
  afterAll(async () => {
    await daemon?.end();
    home?.remove();
    namespace?.remove();
  });

  const socket = (): string => home.file("run/fail2ban.sock");
  const run = (program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Ran => {
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, TZ: "UTC", ...env },
    });
    return { status, out: stdout, err: stderr };
  };
  /** Debian's client, by the machine's Python, once for each line. */
  const everyReal = (lines: readonly string[]): readonly Ran[] => {
    const options = ["-c", home.file("fail2ban"), "-s", socket()];
    const commands = lines.map((line) => ["fail2ban-client", ...options, ...line.split(" ")]);
    const { status, out, err } = run(PYTHON, ["-c", CLIENTS, MODULES, JSON.stringify(commands)]);
    expect([status, err]).toEqual([0, ""]);
    const ran = JSON.parse(out) as Ran[];
    return ran.map((each) => ({ ...each, err: bare(each.err) }));
  };
  const real = (line: string): Ran => everyReal([line])[0]!;
  const ours = async (line: string): Promise<Ran> => {
    const env = { STOPLOG_SOCKET: home.file("control.sock") };
    const { status, out, err } = await runCli(["fail2ban-client", ...line.split(" ")], { env });
    return { status, out, err: bare(err) };
  };
  /** Both print the same. Returns what they print. */
  const both = async (line: string): Promise<string> => {
    const mine = await ours(line);
    expect(mine, line).toEqual(real(line));
    return mine.out;
  };

  it("has a socket for its owner alone, which the status shows", () => {
    expect(statSync(socket()).mode & 0o777).toBe(0o700);
    expect(daemon.status().fail2ban.socket).toBe(socket());
  });

  it("prints the same as stoplog fail2ban-client, for answers and for refusals", async () => {
    appendFileSync(home.file("auth.log"), "bad 192.0.2.1\nfail 192.0.2.9\nbad 192.0.2.1\n");
    await eventually(() => expect(daemon.banned()).toEqual(["192.0.2.1"]));
    expect(daemon.ruleset()).toContain("192.0.2.1");
    expect(await both("status")).toBe("Status\n|- Number of jail:\t2\n`- Jail list:\tssh, web\n");
    expect(await both("status ssh")).toBe(
      [
        "Status for the jail: ssh",
        "|- Filter",
        "|  |- Currently failed:\t0",
        "|  |- Total failed:\t2",
        `|  \`- File list:\t${home.file("auth.log")}`,
        "`- Actions",
        "   |- Currently banned:\t1",
        "   |- Total banned:\t1",
        "   `- Banned IP list:\t192.0.2.1\n",
      ].join("\n"),
    );
    expect(await both("status web")).toContain("Currently failed:\t1\n");
    expect(await both("banned")).toBe("[{'ssh': ['192.0.2.1']}, {'web': []}]\n");
    expect(await both("banned 192.0.2.1 192.0.2.9")).toBe("[['ssh'], []]\n");
    const lines = [...EVERY_QUESTION, ...REFUSED];
    for (const [i, theirs] of everyReal(lines).entries()) {
      const line = lines[i] ?? "";
      expect([line, await ours(line)]).toEqual([line, theirs]);
      expect([line, theirs.status]).toEqual([line, REFUSED.includes(line) ? 255 : 0]);
    }
  });

  it("bans, unbans, changes and stops through the real client", () => {
    const says = (line: string): string => {
      const { status, out, err } = real(line);
      expect([status, err], line).toEqual([0, ""]);
      return out.trim();
    };
    expect(says("set ssh banip 198.51.100.7 198.51.100.8")).toBe("2");
    expect(daemon.ruleset()).toContain("198.51.100.8");
    expect(says("get ssh banip")).toBe("192.0.2.1 198.51.100.7 198.51.100.8");
    expect(says("get ssh banip --with-time")).toMatch(
      /^192\.0\.2\.1 \t[\d-]+ [\d:]+ \+ 3600 = [\d-]+ [\d:]+\n198\.51\.100\.7/,
    );
    expect(says("set web unbanip 198.51.100.7")).toBe("0");
    expect(says("set ssh unbanip 198.51.100.7")).toBe("1");
    expect(daemon.ruleset()).not.toContain("198.51.100.7");
    expect(says("set ssh bantime 2h")).toBe("7200");
    expect(says("set ssh findtime 60")).toBe("60");
    expect(says("set ssh maxretry 9")).toBe("9");
    expect(says("set ssh addignoreip 203.0.113.9")).toContain("`- 203.0.113.9");
    expect(says("set ssh delignoreip 203.0.113.9")).toBe("No IP address/network is ignored");
    expect(says("stop ssh")).toBe("Jail stopped");
    expect(says("status")).toContain("Jail list:\tweb");
    expect(daemon.banned()).toEqual([]);
    expect(says("start ssh")).toBe("Jail started");
    expect(says("get ssh maxretry")).toBe("9");
    // It reads fail2ban's files and sends them along.
    expect(real("reload")).toMatchObject({ status: 0, out: "OK\n" });
    expect(says("get ssh maxretry")).toBe("2");
    expect(says("unban --all")).toBe("0");
    expect(says("set loglevel WARNING")).toBe("Current logging level is 'WARNING'");
    expect(daemon.status().fail2ban).toMatchObject({ refused: 0, broken: 0, turnedAway: 0 });
  });

  it("answers an exporter's own socket code in every protocol of pickle", () => {
    const { status, out, err } = run(PYTHON, ["-c", EXPORTER, socket()]);
    expect([status, err]).toEqual([0, ""]);
    const documents = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(documents).toHaveLength(6);
    for (const document of documents)
      expect(document).toMatchObject({
        ssh: { "Currently banned": 0, "Banned IP list": [], bantime: 3600, findtime: 300, maxretry: 2 },
        web: { "Currently failed": 1, "Total failed": 1, bantime: 3600, findtime: 600, maxretry: 5 },
      });
  });

  it("answers fail2ban's own class, and gives it real exceptions", () => {
    expect(run(PYTHON, ["-c", CSOCKET, socket(), MODULES])).toEqual({
      status: 0,
      out: "(0, 'pong') (0, 5) (1, UnknownJailException('x')) (1, ValueError(\"'x' is not a whole number\"))\n",
      err: "",
    });
  });

  it("takes no pickle that calls a function", () => {
    const mark = home.file("called");
    const attack = `
import os, pickle, socket, sys
class Call:
    def __reduce__(self): return (os.system, ("touch " + sys.argv[2],))
with socket.socket(socket.AF_UNIX) as client:
    client.connect(sys.argv[1])
    client.sendall(pickle.dumps(["ping", Call()]) + b"<F2B_END_COMMAND>")
    print(pickle.loads(client.recv(4096)))
`;
    const { out } = run(PYTHON, ["-c", attack, socket(), mark]);
    expect(out).toContain(
      "(1, ValueError('Cannot read the message: it holds something else than plain values",
    );
    expect(existsSync(mark)).toBe(false);
    expect(daemon.status().fail2ban.refused).toBe(1);
  });
});

const EVERY_QUESTION = [
  "ping",
  "version",
  "echo a b",
  "flushlogs",
  "get loglevel",
  "get logtarget",
  "get syslogsocket",
  "get dbfile",
  "get dbpurgeage",
  "set dbpurgeage 86400",
  "status ssh short",
  "get ssh banned",
  "get ssh banned 192.0.2.1",
  "get ssh banned 192.0.2.1 192.0.2.9",
  "get ssh banip",
  "get ssh banip ,",
  "get ssh banip --with-time",
  "get ssh bantime",
  "get ssh findtime",
  "get ssh maxretry",
  "get ssh maxmatches",
  "get ssh maxlines",
  "get ssh ignoreip",
  "get web ignoreip",
  "get ssh ignoreself",
  "get ssh ignorecommand",
  "get ssh logpath",
  "get ssh journalmatch",
  "get ssh logencoding",
  "get ssh failregex",
  "get ssh ignoreregex",
  "get web ignoreregex",
  "get ssh datepattern",
  "get ssh usedns",
  "get ssh actions",
  "get ssh bantime.increment",
  "set ssh bantime 3600",
  "set ssh findtime 5m",
  "set ssh maxretry 2",
  "set ssh ignoreself true",
  "set ssh unbanip 192.0.2.250",
];

const REFUSED = [
  "nonsense",
  "get",
  "get ssh",
  "get x bantime",
  "status x",
  "set ssh",
  "set ssh banip",
  "set ssh banip 127.0.0.1",
  "set ssh bantime soon",
  "set ssh unbanip --report-absent 192.0.2.250",
  "set ssh addfailregex x",
  "set ssh addaction x",
  "set ssh idle on",
  "set logtarget /tmp/x",
  "start x",
  "stop x",
  "stop",
];
