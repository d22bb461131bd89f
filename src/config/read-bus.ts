import type { BusOptions, CurveOptions } from "../bus/zmq/bus-socket.ts";
import { isRemote, parseEndpoint } from "../bus/zmq/endpoint.ts";
import { curveSchema } from "./curve-schema.ts";
import { entryOf, requireKeys, type Where, type Written } from "./read-object.ts";
import type { Tree } from "./yaml-tree.ts";

/** What sources and publishers of ØMQ write alike. */
export interface WrittenBus {
  readonly connect?: readonly string[] | undefined;
  readonly bind?: readonly string[] | undefined;
  readonly curve?: Written<typeof curveSchema> | undefined;
  readonly heartbeat?: boolean | undefined;
}

/** The ends of a socket, and their keys. Whatever does not go together is reported. */
export function busOf(written: WrittenBus, tree: Tree, where: Where): BusOptions {
  const { connect = [], bind = [], heartbeat = false } = written;
  const hasEnd = ["connect", "bind"].some((key) => entryOf(tree, key) !== null);
  if (!hasEnd) where.report.error(where.what, "it needs connect or bind", where.at);
  const curve = curveOf(written, entryOf(tree, "curve")?.value ?? null, where);
  return { connect, bind, curve, heartbeat };
}

/** That whoever is on the network may order bans, as a sentence for each such end; there is none with keys. */
export function openEnds(what: string, { connect, bind, curve }: BusOptions): string[] {
  if (curve !== null) return [];
  return [...connect, ...bind]
    .filter((endpoint) => {
      const parsed = parseEndpoint(endpoint, "bind");
      return typeof parsed !== "string" && isRemote(parsed);
    })
    .map((endpoint) => `${what} uses ${endpoint} without curve: anybody on the way can read and forge it`);
}

function curveOf(
  { connect = [], bind = [], curve }: WrittenBus,
  tree: Tree | null,
  where: Where,
): CurveOptions | null {
  if (tree === null || tree.kind !== "map") return null;
  const inside = { ...where, prefix: "curve.", at: tree.at };
  requireKeys(curveSchema, tree, inside);
  const pairs = [
    ["server_key", "connect", connect.length > 0],
    ["clients", "bind", bind.length > 0],
  ] as const;
  for (const [key, end, isThere] of pairs) {
    const entry = entryOf(tree, key);
    if (entry === null && isThere)
      where.report.error(where.what, `curve.${key} is missing, which goes with ${end}`, tree.at);
    if (entry !== null && !isThere)
      where.report.error(where.what, `curve.${key} goes with ${end} only`, entry.keyAt);
  }
  const { secret_key: secretKey = "", server_key: serverKey = null, clients = [] } = curve ?? {};
  return { secretKey, serverKey, clients };
}
