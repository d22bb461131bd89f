import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { ORDERS_TOPIC, SWABBER_TOPIC } from "../bus/orders/read-message.ts";
import { curveSchema, heartbeat } from "./curve-schema.ts";
import {
  busEndpoint,
  busTopic,
  command,
  duration,
  fileMode,
  flag,
  globPath,
  journalMatch,
  listenAddress,
  name,
  oneOrMore,
  path,
  rate,
  text,
  timeZone,
  wholeNumber,
  word,
} from "./values.ts";

/** What every kind of source takes. */
const lineKeys = {
  max_line: wholeNumber(256, 1 << 20)
    .default(LIMITS.lineBytes.value)
    .meta({
      description: "Bytes of a line that are looked at; the rest is cut off and counted.",
      examples: [16_384],
    }),
  timezone: timeZone()
    .default("local")
    .meta({
      description: "Where the clocks of its lines stand, for lines that do not say so.",
      examples: ["UTC", "+02:00", "Europe/Berlin"],
    }),
};

/** For sources that may bring orders instead of lines. */
const orderKeys = {
  orders: flag().default(false).meta({
    description: "`true` when its lines are orders in JSON (see Orders) instead of a log's.",
  }),
  origin: name("the name of an origin")
    .optional()
    .meta({
      description: "In whose name its orders come (see Origins). Without it, in the source's own.",
      examples: ["scorer"],
    }),
  bantime: duration({ forever: true, years: 100 })
    .optional()
    .meta({
      description: "How long a ban lasts when neither the order nor its origin says so.",
      examples: ["5h"],
    }),
  target: name("the name of a target")
    .optional()
    .meta({
      description: "Where bans go when neither the order nor its origin says so.",
      examples: ["slow"],
    }),
};

const typeKey = <const Type extends string>(type: Type, description: string) =>
  z.literal(type).meta({ description, examples: [type] });

export const sourceSchemas = {
  file: z
    .strictObject({
      type: typeKey("file", "Files, followed through rotation and truncation."),
      path: oneOrMore(globPath(), "an absolute path or a list of them").meta({
        description:
          "An absolute path. `*`, `?`, `[…]`, `{a,b}` and `**` stand for whatever is there or appears later.",
        examples: ["/var/log/auth.log", ["/var/log/nginx/*.log", "/srv/*/error.log"]],
      }),
      start: word(["end", "beginning"])
        .default("end")
        .meta({
          description: "Where to begin in a file that is there at the start and was never read before.",
          examples: ["beginning"],
        }),
      max_behind: wholeNumber(1 << 20, 2 ** 40)
        .default(LIMITS.behind.value)
        .meta({
          description: `Bytes of each file that may wait unread. When a file that still grows has more, ${LIMITS.behind.full}.`,
          examples: [16_777_216],
        }),
      ...orderKeys,
      ...lineKeys,
    })
    .meta({ description: "Lines of log files." }),
  syslog: z
    .strictObject({
      type: typeKey("syslog", "Messages that syslog daemons send, RFC 3164 and 5424."),
      listen: listenAddress().meta({
        description: "Where: `unix:PATH` (datagrams), `udp:HOST:PORT` or `tcp:HOST:PORT`.",
        examples: ["unix:/run/stoplog/syslog.sock", "udp:127.0.0.1:5514", "tcp:[::1]:5514"],
      }),
      mode: fileMode()
        .optional()
        .meta({ description: "Permissions of a UNIX socket, in octal.", examples: ["0660"] }),
      owner: text("a user")
        .optional()
        .meta({ description: "Who owns a UNIX socket.", examples: ["syslog"] }),
      group: text("a group")
        .optional()
        .meta({ description: "The group of a UNIX socket.", examples: ["adm"] }),
      ...lineKeys,
    })
    .meta({ description: "Syslog over a socket." }),
  journal: z
    .strictObject({
      type: typeKey("journal", "The journal of systemd, through journalctl."),
      units: oneOrMore(text("a unit"), "a unit or a list of them")
        .optional()
        .meta({
          description: "Only lines of these units.",
          examples: [["ssh.service", "sshd.service"]],
        }),
      identifiers: oneOrMore(text("an identifier"), "an identifier or a list of them")
        .optional()
        .meta({
          description:
            "Only lines with these syslog identifiers. Every local user can write under any of them.",
          examples: [["sshd", "sshd-session"]],
        }),
      directory: path("an absolute path")
        .optional()
        .meta({
          description: "A folder of journal files other than the system's.",
          examples: ["/srv/web/var/log/journal"],
        }),
      matches: oneOrMore(journalMatch(), "a match or a list of them")
        .optional()
        .meta({
          description:
            "Only lines with these fields, as journalctl takes them; `+` stands between alternatives.",
          examples: [["_TRANSPORT=kernel"], ["_SYSTEMD_UNIT=ssh.service", "+", "_COMM=sshd"]],
        }),
      ...lineKeys,
    })
    .meta({ description: "The journal." }),
  kmsg: z
    .strictObject({
      type: typeKey("kmsg", "The kernel's messages, as they stand in /dev/kmsg, without syslog in between."),
      path: path("an absolute path")
        .default("/dev/kmsg")
        .meta({ description: "Where the kernel's messages are.", examples: ["/dev/kmsg"] }),
      max_line: lineKeys.max_line,
    })
    .meta({ description: "The kernel's messages." }),
  nflog: z
    .strictObject({
      type: typeKey("nflog", "Packets that firewall rules log to a netlink group."),
      group: wholeNumber(0, 65_535).meta({
        description: "The group's number, as in the rules: `log group 5`, `-j NFLOG --nflog-group 5`.",
        examples: [5],
      }),
      install: flag()
        .default(false)
        .meta({
          description:
            "`true` when Stoplog itself puts the rules into nftables that log what its jails select, in a table of its own. `stoplog rules` prints them.",
          examples: [true],
        }),
      over: rate()
        .optional()
        .meta({
          description: "With `install`: only what exceeds this rate, of all senders together, is logged.",
          examples: ["100/second"],
        }),
    })
    .meta({ description: "Packets, without a log in between. Jails select among them by `packets`." }),
  zmq: z
    .strictObject({
      type: typeKey("zmq", "Orders over ØMQ, as Swabber took them, or in JSON."),
      connect: oneOrMore(busEndpoint("connect"), "an endpoint or a list of them")
        .optional()
        .meta({
          description: "Publishers to connect to: `tcp://HOST:PORT` or `ipc:///PATH`.",
          examples: ["tcp://127.0.0.1:22620"],
        }),
      bind: oneOrMore(busEndpoint("bind"), "an endpoint or a list of them")
        .optional()
        .meta({
          description: "Where publishers connect to us; `*` for all addresses.",
          examples: ["tcp://127.0.0.1:22630"],
        }),
      topic: oneOrMore(busTopic(), "a topic or a list of them")
        .prefault([SWABBER_TOPIC, ORDERS_TOPIC])
        .meta({
          description:
            "What is subscribed to. Under `swabber_bans` each message is an address to ban, under any other one or more orders in JSON, one a line.",
          examples: ["swabber_bans"],
        }),
      curve: curveSchema.optional().meta({
        description: "Keys for encrypted and authenticated connections. See Curve.",
        examples: [{ secret_key: "/etc/stoplog/edge.key", server_key: "/etc/stoplog/scorer.pub" }],
      }),
      heartbeat: heartbeat(),
      origin: orderKeys.origin,
      bantime: orderKeys.bantime,
      target: orderKeys.target,
    })
    .meta({ description: "Orders over ØMQ. It needs the package `zeromq`." }),
  command: z
    .strictObject({
      type: typeKey("command", "What a program prints; it is started again when it ends."),
      command: command().meta({
        description: "The program and its arguments. No shell is involved.",
        examples: [["tail", "-F", "/var/log/x.log"]],
      }),
      ...orderKeys,
      ...lineKeys,
    })
    .meta({ description: "A program's output." }),
  stdin: z
    .strictObject({ type: typeKey("stdin", "Standard input, until it ends."), ...orderKeys, ...lineKeys })
    .meta({ description: "Standard input." }),
};
