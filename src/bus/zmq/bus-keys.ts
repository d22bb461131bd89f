import type { z } from "zod";
import type { Section } from "../../schema/section.ts";
import type * as values from "../../schema/values.ts";
import type { BusOptions, CurveOptions } from "./bus-socket.ts";
import { isRemote, parseEndpoint } from "./endpoint.ts";
import { decodeZ85 } from "./z85.ts";

// The keys that sources and publishers of ØMQ share.

type Values = typeof values;

/** `tcp://HOST:PORT` or `ipc:///PATH`. */
export function endpoints(v: Values, way: "bind" | "connect") {
  const endpoint = v.checked("tcp://HOST:PORT or ipc:///PATH", (written) => {
    const parsed = parseEndpoint(written, way);
    return typeof parsed === "string" ? `cannot be used: ${parsed}, not ${v.shown(written)}` : null;
  });
  return v.oneOrMore(endpoint, "an endpoint or a list of them").optional();
}

/** The first frame of a message. */
export function topic(v: Values) {
  return v.matching("a topic of at most 128 letters, digits and signs", /^[\x21-\x7e]{1,128}$/);
}

export function heartbeat(v: Values) {
  return v.flag().default(false).meta({
    description:
      "`true`: pings peers. Peers with libzmq before 4.2 do not answer pings and are disconnected when they are silent. Without it, only TCP keep-alive finds dead machines.",
  });
}

/** Keys of CURVE, the encryption of ØMQ. */
export function curveSchema(v: Values) {
  const key = "a key of 40 characters in Z85, or the absolute path of its file";
  const publicKey = v
    .text(key)
    .refine((written) => written.startsWith("/") || decodeZ85(written)?.length === KEY_BYTES, {
      error: (issue) => `must be ${key}, not ${v.shown(issue.input)}`,
    });
  return v.z
    .strictObject({
      secret_key: v.path().meta({
        description:
          "The file of our own secret key, readable by its owner only; `stoplog keygen` makes one.",
        examples: ["/etc/stoplog/edge.key"],
      }),
      server_key: publicKey.optional().meta({
        description: "With `connect`: the public key of the server, or the file that holds it.",
        examples: ["/etc/stoplog/scorer.pub"],
      }),
      clients: v
        .oneOrMore(publicKey, "a key or a list of them")
        .optional()
        .meta({
          description: "With `bind`: the public keys of clients that may connect, or their files.",
          examples: [["/etc/stoplog/scorer.pub"]],
        }),
    })
    .meta({ description: "Keys of CURVE, which encrypts and authenticates connections of ØMQ." });
}

const KEY_BYTES = 32;

type CurveKeys = z.output<ReturnType<typeof curveSchema>>;

interface BusKeys {
  readonly connect?: readonly string[] | undefined;
  readonly bind?: readonly string[] | undefined;
  readonly curve?: CurveKeys | undefined;
  readonly heartbeat: boolean;
}

/** The ends of a socket, and their keys. Reports keys that cannot be combined. */
export function busOptions(written: BusKeys, section: Section): BusOptions {
  const { connect = [], bind = [], heartbeat: pings } = written;
  if (!section.has("connect") && !section.has("bind")) section.refuse("it needs connect or bind");
  return { connect, bind, curve: curveOptions(written, section), heartbeat: pings };
}

function curveOptions({ connect = [], bind = [], curve }: BusKeys, section: Section): CurveOptions | null {
  const inside = section.inside("curve");
  if (inside.tree?.kind !== "map") return null;
  if (!inside.has("secret_key")) inside.refuse("secret_key is missing");
  const pairs = [
    ["server_key", "connect", connect.length > 0],
    ["clients", "bind", bind.length > 0],
  ] as const;
  for (const [key, end, isThere] of pairs) {
    if (!inside.has(key) && isThere) inside.refuse(`${key} is missing: ${end} needs it`);
    if (!isThere) inside.refuseKeys([key], `needs ${end}`);
  }
  return {
    secretKey: curve?.secret_key ?? "",
    serverKey: curve?.server_key ?? null,
    clients: curve?.clients ?? [],
  };
}

/** A sentence for each end at which others on the network can read and forge messages: TCP without CURVE. */
export function openEnds(what: string, { connect, bind, curve }: BusOptions): string[] {
  if (curve !== null) return [];
  return [...connect, ...bind]
    .filter((endpoint) => {
      const parsed = parseEndpoint(endpoint, "bind");
      return typeof parsed !== "string" && isRemote(parsed);
    })
    .map((endpoint) => `${what} uses ${endpoint} without curve: anyone on the path can read and forge it`);
}
