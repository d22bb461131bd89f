import { z } from "zod";
import type { PublisherOptions } from "../bus/publish/zmq-publisher.ts";
import { busOptions, curveSchema, endpoints, heartbeat, topic } from "../bus/zmq/bus-keys.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";

// The section `publish`: subscribers to bans over ØMQ.

const onlySchema = z
  .strictObject({
    origins: v
      .oneOrMore(v.name("the name of an origin"), "a name or a list of them")
      .optional()
      .meta({
        description: "Only bans of these origins; `local` for bans by jails, `operator` for bans by hand.",
        examples: [["local", "operator"]],
      }),
    jails: v
      .oneOrMore(v.name("the name of a jail"), "a name or a list of them")
      .optional()
      .meta({ description: "Only bans of these jails.", examples: [["sshd"]] }),
  })
  .meta({ description: "Which bans are published." });

const curve = curveSchema(v);

const publishSchema = z
  .strictObject({
    type: v.kindKey("zmq", "Over ØMQ."),
    bind: endpoints(v, "bind").meta({
      description:
        "Endpoints to which subscribers connect: `tcp://HOST:PORT` (`*` for all addresses) or `ipc:///PATH`.",
      examples: ["tcp://127.0.0.1:22621"],
    }),
    connect: endpoints(v, "connect").meta({
      description: "Subscribers to connect to.",
      examples: ["tcp://hub.example:22630"],
    }),
    topic: z
      .union([topic(v), z.literal(false)])
      .default("stoplog_bans")
      .meta({
        description: "The topic of Stoplog's own messages, which are JSON; `false` for none.",
        examples: [false],
      }),
    swabber: v
      .flag()
      .default(false)
      .meta({
        description:
          "`true`: also publishes for Swabber, under `swabber_bans`: the address alone, for bans of single IPv4 addresses.",
        examples: [true],
      }),
    only: onlySchema.optional().meta({
      description: "Which bans are published. Without it, all.",
      examples: [{ jails: ["sshd"] }],
    }),
    echo: v.flag().default(false).meta({
      description:
        "`true`: also publishes bans that came in over ØMQ. Two machines that echo each other's bans never stop.",
    }),
    curve: curve.optional().meta({
      description: "Keys for encrypted and authenticated connections. See Curve.",
      examples: [{ secret_key: "/etc/stoplog/edge.key", clients: ["/etc/stoplog/other.pub"] }],
    }),
    heartbeat: heartbeat(v),
  })
  .meta({ description: "Publishes every ban over ØMQ." });

export const publishKey = z
  .record(z.string().regex(v.NAME), publishSchema)
  .optional()
  .meta({
    description: "Where bans are published over ØMQ, by name.",
    examples: [{ edges: { type: "zmq", bind: "tcp://127.0.0.1:22621" } }],
  });

export const publishChapter: Chapter = {
  title: "Publish",
  text: "Where bans are published over ØMQ.",
  parts: [
    { title: null, text: "", schema: publishSchema },
    { title: "Only", text: "The keys of `only`: which bans are published.", schema: onlySchema },
    {
      title: "Curve",
      text: "The keys of `curve`, for sources and publishers: the encryption and authentication of ØMQ.",
      schema: curve,
    },
  ],
};

/** A publisher with errors is left out; they are reported. */
export function readPublishers(top: Section): readonly PublisherOptions[] {
  return [...top.named("publish", "publisher", readPublisher).values()].filter((one) => one !== null);
}

function readPublisher(name: string, section: Section): PublisherOptions {
  const values = section.filled(publishSchema);
  const { topic: ownTopic, swabber, only, echo } = values;
  if (ownTopic === false && !swabber)
    section.refuse("it needs a topic or swabber: true; without both it publishes nothing");
  return {
    type: "zmq",
    name,
    topic: ownTopic === false ? null : ownTopic,
    swabber,
    origins: only?.origins ?? null,
    jails: only?.jails ?? null,
    echo,
    ...busOptions(values, section),
  };
}
