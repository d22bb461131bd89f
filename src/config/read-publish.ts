import type { PublisherOptions } from "../bus/publish/zmq-publisher.ts";
import { publishSchema } from "./publish-schema.ts";
import { busOf } from "./read-bus.ts";
import { readNames, readObject, requireKeys, type Where } from "./read-object.ts";
import { NAME } from "./values.ts";
import { shorten, type Tree } from "./yaml-tree.ts";

/** Those who are told; one in which something is wrong is left out, and was reported. */
export function readPublishers(tree: Tree | null, where: Where): readonly PublisherOptions[] {
  const entries = readNames(tree, "publisher", NAME, where);
  return [...entries].flatMap(([name, { keyAt, value }]) => {
    const inside = { what: `publisher ${shorten(name)}`, report: where.report, at: keyAt };
    const before = where.report.count;
    requireKeys(publishSchema, value, inside);
    const written = readObject(publishSchema, value, inside);
    const { topic = "stoplog_bans", swabber = false, only, echo = false } = written;
    if (topic === false && !swabber)
      where.report.error(inside.what, "it needs a topic or swabber: true: else it says nothing", keyAt);
    const options: PublisherOptions = {
      type: "zmq",
      name,
      topic: topic === false ? null : topic,
      swabber,
      origins: only?.origins ?? null,
      jails: only?.jails ?? null,
      echo,
      ...busOf(written, value, inside),
    };
    return where.report.count > before ? [] : [options];
  });
}
