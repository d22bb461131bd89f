import { z } from "zod";
import {
  command,
  duration,
  flag,
  nftSet,
  oneOrMore,
  path,
  port,
  rate,
  text,
  toolName,
  wholeNumber,
  word,
} from "./values.ts";

const bantimeKey = duration({ forever: true, years: 100 })
  .optional()
  .meta({
    description: "How long its bans last where neither the jail nor its step says so; `-1` for ever.",
    examples: ["10m"],
  });

/** What every kind of target takes. */
const commonKeys = {
  bantime: bantimeKey,
  reset_connections: flag().default(false).meta({
    description:
      "Connections of the banned that are open are cut: their entries in the kernel's table, and this machine's own sockets.",
  }),
};

const protocolsKey = oneOrMore(
  word(["tcp", "udp", "sctp", "dccp"]),
  "tcp, udp, sctp or dccp, or a list of them",
)
  .optional()
  .meta({ description: "Protocols that `ports` are of. Without it, tcp and udp.", examples: [["tcp"]] });

const portKeys = {
  ports: oneOrMore(port(), "a port or a list of them")
    .optional()
    .meta({
      description: "The verdict holds for these destination ports only. Without it, for all traffic.",
      examples: [[22, "80-90", "https"]],
    }),
  protocols: protocolsKey,
};

const nftKeys = {
  verdict: word(["drop", "reject", "throttle"])
    .default("drop")
    .meta({
      description:
        "What becomes of a banned address's packets: dropped, refused, or let through at a `rate`.",
      examples: ["reject"],
    }),
  rate: rate()
    .optional()
    .meta({
      description: "What `throttle` lets through from each address; the rest is dropped.",
      examples: ["10/minute"],
    }),
  burst: wholeNumber(1, 1_000_000)
    .optional()
    .meta({
      description: "How many packets `throttle` lets through at once before the `rate` holds. Without it, 5.",
      examples: [20],
    }),
  ...portKeys,
};

const tablesKeys = {
  verdict: word(["drop", "reject"])
    .default("drop")
    .meta({
      description: "What becomes of a banned address's packets: dropped or refused.",
      examples: ["reject"],
    }),
  ...portKeys,
  chain: toolName("the name of a chain")
    .default("INPUT")
    .meta({ description: "The chain of the filter table that the rule goes to.", examples: ["DOCKER-USER"] }),
};

const kindKey = <const Kind extends string>(kind: Kind, description: string) =>
  z.literal(kind).meta({ description, examples: [kind] });

/** By the word after `enforcer:`; without one, it is nftables. */
export const targetSchemas = {
  nftables: z
    .strictObject({
      enforcer: word(["nftables"])
        .default("nftables")
        .meta({ description: "The kernel's nftables, spoken to without a program.", examples: ["nftables"] }),
      ...nftKeys,
      sets: oneOrMore(nftSet(), 'a set such as "inet filter blocked4" or a list of them')
        .optional()
        .meta({
          description:
            "Sets that you made, each as family, table and name: Stoplog only adds and removes elements, and what becomes of them say your rules.",
          examples: [["inet filter blocked4", "inet filter blocked6"]],
        }),
      ...commonKeys,
    })
    .meta({ description: "A table of our own in nftables, or sets of yours." }),
  nft: z
    .strictObject({
      enforcer: kindKey("nft", "The same by the program `nft`."),
      ...nftKeys,
      ...commonKeys,
    })
    .meta({ description: "nftables by its program, where the kernel cannot be spoken to." }),
  ipset: z
    .strictObject({
      enforcer: kindKey("ipset", "Sets of ipset and the rule of iptables that uses them."),
      ...tablesKeys,
      sets: oneOrMore(toolName("the name of a set"), "the name of a set or a list of them")
        .optional()
        .meta({
          description:
            "Sets that you made: Stoplog only adds and removes elements, and what becomes of them say your rules.",
          examples: [["blocked4", "blocked6"]],
        }),
      rule: flag().default(true).meta({
        description: "`false` when you write the rule for our sets yourself.",
      }),
      ...commonKeys,
    })
    .meta({ description: "For hosts with iptables: a set holds any number of bans." }),
  iptables: z
    .strictObject({
      enforcer: kindKey("iptables", "A rule of iptables for each ban."),
      ...tablesKeys,
      interface: toolName("the name of an interface")
        .optional()
        .meta({
          description: "Packets that come in there only; `+` at its end stands for any rest.",
          examples: ["eth+"],
        }),
      ...commonKeys,
    })
    .meta({
      description:
        "For hosts with iptables and few bans: each packet passes every rule, and the end of a ban stands in the rule's comment.",
    }),
  recent: z
    .strictObject({
      enforcer: kindKey("recent", "A list of iptables' match `recent`."),
      list: toolName("the name of a list").meta({
        description: "The list's name, as in `/proc/net/xt_recent`. The rules that look into it are yours.",
        examples: ["BLOCKER"],
      }),
      ...commonKeys,
    })
    .meta({ description: "A list that rules of yours look into with `-m recent`." }),
  "hosts.deny": z
    .strictObject({
      enforcer: kindKey("hosts.deny", "Lines in a file for services that use tcp_wrappers."),
      path: path("an absolute path")
        .default("/etc/hosts.deny")
        .meta({ description: "The file.", examples: ["/etc/hosts.deny"] }),
      services: text("a list of services")
        .regex(/^[A-Za-z0-9_.@-]+(?:[ ,]+[A-Za-z0-9_.@-]+)*$/, {
          error: "must be a list of services such as ALL or sshd, vsftpd",
        })
        .default("ALL")
        .meta({ description: "What stands before the colon.", examples: ["sshd"] }),
      ...commonKeys,
    })
    .meta({ description: "No firewall: services that ask hosts.deny refuse the banned." }),
  route: z
    .strictObject({
      enforcer: kindKey("route", "A route to nowhere for each ban."),
      type: word(["blackhole", "unreachable", "prohibit"])
        .default("blackhole")
        .meta({ description: "The route's type, as `ip route` has it.", examples: ["unreachable"] }),
      ...commonKeys,
    })
    .meta({ description: "Answers to the banned go nowhere; their packets still come in." }),
  command: z
    .strictObject({
      enforcer: kindKey("command", "Programs of yours."),
      ban: command().meta({
        description:
          "The program and its arguments, without a shell. `{address}`, `{target}`, `{until}` (seconds since 1970; 0 for ever) and `{seconds}` (left; 0 for ever) are filled in.",
        examples: [["/usr/local/sbin/block", "{address}"]],
      }),
      unban: command().meta({
        description: "The same to free an address.",
        examples: [["/usr/local/sbin/unblock", "{address}"]],
      }),
      start: command()
        .optional()
        .meta({
          description: "Runs once before the first ban.",
          examples: [["/usr/local/sbin/block-setup"]],
        }),
      stop: command()
        .optional()
        .meta({
          description:
            "Runs when all bans are taken away: by `--flush-on-exit`, or a reload without the target.",
          examples: [["/usr/local/sbin/block-teardown"]],
        }),
      batch: flag().default(false).meta({
        description:
          "`true` when `ban` and `unban` take many addresses at once from standard input, one a line: address, target, until, seconds.",
      }),
      timeout: duration({ forever: false, years: 1 })
        .prefault("10s")
        .meta({ description: "How long one run may take before it is ended.", examples: ["30s"] }),
      parallel: wholeNumber(1, 64)
        .default(4)
        .meta({ description: "How many run at the same time.", examples: [1] }),
      ...commonKeys,
    })
    .meta({ description: "Programs of yours are run for each ban and its end." }),
  "dry-run": z
    .strictObject({
      enforcer: kindKey("dry-run", "Only says what it would do."),
      ...nftKeys,
      ...commonKeys,
    })
    .meta({ description: "Nothing is enforced; everything is said." }),
};

export type TargetKind = keyof typeof targetSchemas;
