import { type SourceKind, sourceKeys, type SourceOptions } from "../../source/kind.ts";
import { busOptions, curveSchema, endpoints, heartbeat, topic } from "../zmq/bus-keys.ts";
import type { BusOptions } from "../zmq/bus-socket.ts";
import { ORDERS_TOPIC, SWABBER_TOPIC } from "./topics.ts";

export interface ZmqOptions extends SourceOptions, BusOptions {
  readonly type: "zmq";
  readonly topics: readonly string[];
}

/** Orders over ØMQ. */
export const zmq: SourceKind<ZmqOptions> = {
  name: "zmq",
  summary: "Orders over ØMQ, in Swabber's format or in JSON.",
  description: "Orders over ØMQ. It needs the package `zeromq`.",
  gives: "orders",
  takes: ["order defaults"],
  options: sourceKeys(
    (v) => ({
      connect: endpoints(v, "connect").meta({
        description: "Publishers to connect to: `tcp://HOST:PORT` or `ipc:///PATH`.",
        examples: ["tcp://127.0.0.1:22620"],
      }),
      bind: endpoints(v, "bind").meta({
        description: "Endpoints to which publishers connect; `*` for all addresses.",
        examples: ["tcp://127.0.0.1:22630"],
      }),
      topic: v
        .oneOrMore(topic(v), "a topic or a list of them")
        .prefault([SWABBER_TOPIC, ORDERS_TOPIC])
        .meta({
          description:
            "The topics to subscribe to. A message under `swabber_bans` is an address to ban; under any other topic it holds orders in JSON, one a line.",
          examples: ["swabber_bans"],
        }),
      curve: curveSchema(v)
        .optional()
        .meta({
          description: "Keys for encrypted and authenticated connections. See Curve.",
          examples: [{ secret_key: "/etc/stoplog/edge.key", server_key: "/etc/stoplog/scorer.pub" }],
        }),
      heartbeat: heartbeat(v),
    }),
    (values, section): ZmqOptions => ({
      type: "zmq",
      topics: values.topic,
      ...busOptions(values, section),
    }),
  ),
  needs: () => ({}),
  open: async (name, options, parts) => new (await import("./zmq-source.ts")).ZmqSource(name, options, parts),
};
