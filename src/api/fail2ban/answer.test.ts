import { beforeEach, describe, expect, it } from "vitest";
import { StoplogError } from "../../core/errors.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { FOREVER, HOUR } from "../../core/time.ts";
import { answerCommand } from "./answer.ts";
import { FakeHost } from "./fake-host.test-support.ts";
import { Lists } from "./lists.ts";
import { jsonOf, type Plain } from "./plain.ts";

describe("answerCommand()", () => {
  let host: FakeHost;
  beforeEach(() => (host = new FakeHost()));

  /** The value, with tuples as lists, or the exception's class and arguments. */
  async function ask(...command: readonly Plain[]): Promise<unknown> {
    const answer = await answerCommand(host, command, new Lists({ unlisted: 0 }));
    return "value" in answer ? jsonOf(answer.value) : [answer.exception.type, ...answer.exception.args];
  }

  it("answers the server's own questions", async () => {
    expect(await ask("ping")).toBe("pong");
    expect(await ask("ping", 0.1)).toBe("pong");
    expect(await ask("version")).toBe("1.1.0+stoplog.9.9.9");
    expect(await ask("server-status")).toBe("Server ready");
    expect(await ask("echo", "a", "b")).toEqual(["a", "b"]);
    expect(await ask("flushlogs")).toBe("flushed");
    expect(await ask("get", "dbfile")).toBe(null);
    expect(await ask("set", "dbpurgeage", "1d")).toBe(null);
    expect(await ask("get", "logtarget")).toBe("STDERR");
    expect(await ask("get", "loglevel")).toBe("INFO");
    expect(await ask("set", "loglevel", "WARNING")).toBe("WARNING");
    expect(host.log.level).toBe("warn");
    expect(await ask("set", "loglevel", 25)).toBe("INFO");
    expect(await ask("set", "logtarget", "stderr")).toBe("STDERR");
  });

  it("gives the status as the client prints it", async () => {
    const server = [
      ["Number of jail", 2],
      ["Jail list", "sshd, web"],
    ];
    const sshd = [
      [
        "Filter",
        [
          ["Currently failed", 3],
          ["Total failed", 40],
          ["File list", ["/var/log/auth.log"]],
        ],
      ],
      [
        "Actions",
        [
          ["Currently banned", 2],
          ["Total banned", 7],
          ["Banned IP list", ["192.0.2.1", "2001:db8::/64"]],
        ],
      ],
    ];
    expect(await ask("status")).toEqual(server);
    expect(await ask("status", "sshd")).toEqual(sshd);
    expect(await ask("status", "sshd", "short")).toEqual([
      sshd[0],
      ["Actions", (sshd[1]![1] as []).slice(0, 2)],
    ]);
    expect(await ask("status", "web")).toEqual([
      [
        "Filter",
        [
          ["Currently failed", 3],
          ["Total failed", 40],
          ["Journal matches", ["_SYSTEMD_UNIT=web.service + _COMM=web"]],
        ],
      ],
      ["Actions", [...(sshd[1]![1] as []).slice(0, 2), ["Banned IP list", []]]],
    ]);
    expect(await ask("status", "--all")).toMatchObject([...server, { sshd }]);
  });

  it("reads a jail's settings, in seconds", async () => {
    expect(await ask("get", "sshd", "bantime")).toBe(3600);
    expect(await ask("get", "sshd", "findtime")).toBe(600);
    expect(await ask("get", "sshd", "maxretry")).toBe(5);
    expect(await ask("get", "sshd", "logpath")).toEqual(["/var/log/auth.log"]);
    expect(await ask("get", "sshd", "ignoreip")).toEqual(["127.0.0.0/8"]);
    expect(await ask("get", "sshd", "failregex")).toEqual(["^a <HOST>$", "^b <HOST>$"]);
    expect(await ask("get", "sshd", "actions")).toEqual(["default"]);
    expect(await ask("get", "sshd", "bantime.increment")).toBe(false);
    host.jail = { ...host.jail, bantime: FOREVER, datepattern: "%s" };
    expect(await ask("get", "sshd", "bantime")).toBe(-1);
    expect(await ask("get", "sshd", "datepattern")).toEqual(["%s", "%s"]);
  });

  it("lists bans", async () => {
    expect(await ask("banned")).toEqual([{ web: [] }, { sshd: ["192.0.2.1", "2001:db8::/64"] }]);
    expect(await ask("banned", "192.0.2.1", "192.0.2.9")).toEqual([["sshd"], []]);
    expect(await ask("get", "sshd", "banned")).toEqual(["192.0.2.1", "2001:db8::/64"]);
    expect(await ask("get", "sshd", "banned", "192.0.2.1")).toBe(1);
    expect(await ask("get", "web", "banned", "192.0.2.1", "192.0.2.9")).toEqual([0, 0]);
    expect(await ask("get", "sshd", "banip")).toEqual(["192.0.2.1", "2001:db8::/64"]);
    expect(await ask("get", "sshd", "banip", "--with-time")).toEqual([
      expect.stringMatching(/^192\.0\.2\.1 \t2026-11-\d\d \d\d:01:00 \+ 3600 = 2026-11-\d\d \d\d:01:00$/),
      expect.stringContaining("2001:db8::/64 \t"),
    ]);
  });

  it("bans and unbans", async () => {
    expect(await ask("set", "sshd", "banip", "192.0.2.5", "192.0.2.6")).toBe(2);
    expect(await ask("set", "sshd", "banip", "127.0.0.1")).toEqual([
      "ValueError",
      "Cannot ban 127.0.0.1: it is an own address",
    ]);
    expect(await ask("set", "sshd", "unbanip", "192.0.2.1", "192.0.2.77")).toBe(1);
    expect(await ask("set", "sshd", "unbanip", "--report-absent", "192.0.2.77")).toEqual([
      "ValueError",
      "not banned: 192.0.2.77",
    ]);
    expect(await ask("unban", "192.0.2.1")).toBe(1);
    expect(await ask("unban", "--all")).toBe(2);
    expect(host.done.slice(-3)).toEqual([
      { unban: ["192.0.2.77"], jail: "sshd" },
      { unban: ["192.0.2.1"], jail: null },
      { unbanAll: null },
    ]);
  });

  it("changes a jail, and answers with the new value", async () => {
    expect(await ask("set", "sshd", "bantime", "2h")).toBe(7200);
    expect(await ask("set", "sshd", "bantime", -1)).toBe(-1);
    expect(await ask("set", "sshd", "findtime", 60)).toBe(60);
    expect(await ask("set", "sshd", "maxretry", "3")).toBe(3);
    expect(await ask("set", "sshd", "ignoreself", "false")).toBe(false);
    await ask("set", "sshd", "addignoreip", "192.0.2.0/24");
    await ask("set", "sshd", "delignoreip", "192.0.2.0/24");
    expect(host.done).toEqual([
      { change: "sshd", bantime: 2 * HOUR },
      { change: "sshd", bantime: FOREVER },
      { change: "sshd", findtime: 60_000 },
      { change: "sshd", maxretry: 3 },
      { change: "sshd", ignoreSelf: false },
      { change: "sshd", ignore: [parsePrefix("192.0.2.0/24")] },
      { change: "sshd", unignore: parsePrefix("192.0.2.0/24") },
    ]);
  });

  it("stops a jail with its bans, and starts it", async () => {
    expect(await ask("stop", "sshd")).toBe(null);
    host.stopped = ["mail"];
    expect(await ask("start", "mail")).toBe(null);
    expect(await ask("start", "sshd")).toBe(null);
    expect(host.done).toEqual([
      { change: "sshd", isStopped: true },
      { unbanAll: "sshd" },
      { change: "mail", isStopped: false },
    ]);
  });

  it("reloads, whatever fail2ban's client has read", async () => {
    expect(await ask("reload", "--all", [], [["set", "sshd", "bantime", "1"]])).toBe("OK");
    expect(await ask("reload", "sshd", ["--unban"], [])).toBe("OK");
    expect(await ask("reload", "x", ["--if-exists"], [])).toBe("OK");
    expect(await ask("reload", "x", [], [])).toEqual(["UnknownJailException", "x"]);
    host.reloads = false;
    expect(await ask("reload")).toEqual(["Exception", "stoplog.yaml:3:1: bad"]);
    expect(host.done).toEqual(["reload", { unbanAll: "sshd" }, "reload", "reload", "reload"]);
  });

  it.each([
    [["status", "x"], "UnknownJailException", "x"],
    [["get", "x", "bantime"], "UnknownJailException", "x"],
    [["get"], "IndexError", "list index out of range"],
    [["set", "sshd"], "IndexError", "list index out of range"],
    [["set", "sshd", "banip"], "IndexError", "list index out of range"],
    [[], "IndexError", "list index out of range"],
    [
      ["set", "sshd", "bantime", "soon"],
      "ValueError",
      "'soon' is not a duration: write seconds or 10m, 1d12h",
    ],
    [["set", "sshd", "findtime", "-1"], "ValueError", "'-1' is not a duration: write seconds or 10m, 1d12h"],
    [["set", "sshd", "maxretry", "x"], "ValueError", "'x' is not a whole number"],
    [["set", "sshd", "addignoreip", "host"], "ValueError", "'host' is not an IP address or network"],
    [["set", "loglevel", "LOUD"], "ValueError", /^Invalid log level LOUD: write/],
    [
      ["set", "logtarget", "/x"],
      "Exception",
      /^Cannot set logtarget: Stoplog writes its log to standard error/,
    ],
    [
      ["set", "sshd", "addfailregex", "x"],
      "Exception",
      /change the jail in Stoplog's configuration and reload$/,
    ],
    [["set", "sshd", "constructor", "x"], "Exception", /^Cannot set constructor/],
    [["get", "sshd", "toString"], "Exception", "Cannot get toString: Stoplog has no such setting"],
    [["get", "sshd", "action", "x", "actionban"], "Exception", /targets have no commands/],
    [["stop"], "Exception", /systemctl stop stoplog$/],
    [["add", "x", "auto"], "Exception", /^Cannot take a configuration/],
    [["valueOf"], "Exception", "Invalid command: Stoplog has no command valueOf"],
    [[["ping"]], "ValueError", "Cannot read the command: word 1 is not text"],
  ] as const)("refuses %j", async (command, type, sentence) => {
    const answer = await ask(...command);
    expect(answer).toEqual([type, typeof sentence === "string" ? sentence : expect.stringMatching(sentence)]);
  });

  it("refuses what is not a list of words, and passes the daemon's sentences on", async () => {
    const lists = new Lists({ unlisted: 0 });
    expect(await answerCommand(host, "ping", lists)).toMatchObject({ exception: { type: "ValueError" } });
    host.change = () => Promise.reject(new StoplogError("Cannot set maxretry of sshd: 0 is too small"));
    expect(await ask("set", "sshd", "maxretry", "0")).toEqual([
      "Exception",
      "Cannot set maxretry of sshd: 0 is too small",
    ]);
  });

  it("leaves addresses over the limit out, and counts them [limit: fail2banListed]", async () => {
    const unlisted = { unlisted: 0 };
    const answer = await answerCommand(host, ["get", "sshd", "banned"], new Lists(unlisted, 1));
    expect(answer).toEqual({ value: ["2001:db8::/64"] });
    expect(unlisted).toEqual({ unlisted: 1 });
  });
});
