import { z } from "zod";
import { curveSchema, heartbeat } from "./curve-schema.ts";
import { busEndpoint, busTopic, flag, name, oneOrMore } from "./values.ts";

export const onlySchema = z
  .strictObject({
    origins: oneOrMore(name("the name of an origin"), "a name or a list of them")
      .optional()
      .meta({
        description:
          "Only bans of these origins; `local` for those of the jails, `operator` for those by hand.",
        examples: [["local", "operator"]],
      }),
    jails: oneOrMore(name("the name of a jail"), "a name or a list of them")
      .optional()
      .meta({ description: "Only bans of these jails.", examples: [["sshd"]] }),
  })
  .meta({ description: "Which bans are published." });

/** Telling the bans to others. */
export const publishSchema = z
  .strictObject({
    type: z.literal("zmq").meta({ description: "Over ØMQ, to whoever subscribes.", examples: ["zmq"] }),
    bind: oneOrMore(busEndpoint("bind"), "an endpoint or a list of them")
      .optional()
      .meta({
        description:
          "Where subscribers connect to us: `tcp://HOST:PORT` (`*` for all addresses) or `ipc:///PATH`.",
        examples: ["tcp://127.0.0.1:22621"],
      }),
    connect: oneOrMore(busEndpoint("connect"), "an endpoint or a list of them")
      .optional()
      .meta({
        description: "Subscribers that wait for us to connect.",
        examples: ["tcp://hub.example:22630"],
      }),
    topic: z
      .union([busTopic(), z.literal(false)])
      .default("stoplog_bans")
      .meta({
        description: "The topic of our own messages, JSON with all of a ban; `false` for none.",
        examples: [false],
      }),
    swabber: flag()
      .default(false)
      .meta({
        description:
          "`true` when Swabbers are told as well: under `swabber_bans`, the address and nothing more, of bans of single IPv4 addresses.",
        examples: [true],
      }),
    only: onlySchema.optional().meta({
      description: "Which bans are published; all without it.",
      examples: [{ jails: ["sshd"] }],
    }),
    echo: flag().default(false).meta({
      description:
        "`true` when bans that came in over ØMQ are published as well. Two that tell each other all would go on for ever.",
    }),
    curve: curveSchema.optional().meta({
      description: "Keys for encrypted and authenticated connections. See Curve.",
      examples: [{ secret_key: "/etc/stoplog/edge.key", clients: ["/etc/stoplog/other.pub"] }],
    }),
    heartbeat: heartbeat(),
  })
  .meta({ description: "Others who are told of every ban." });
