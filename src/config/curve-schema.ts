import { z } from "zod";
import { curveKey, flag, oneOrMore, path } from "./values.ts";

/** Keys of CURVE, ØMQ's encryption. */
export const curveSchema = z
  .strictObject({
    secret_key: path("an absolute path").meta({
      description: "The file of the own secret key, which nobody else may read; `stoplog keygen` makes one.",
      examples: ["/etc/stoplog/edge.key"],
    }),
    server_key: curveKey()
      .optional()
      .meta({
        description: "With `connect`: the public key of whoever is connected to, or the file that holds it.",
        examples: ["/etc/stoplog/scorer.pub"],
      }),
    clients: oneOrMore(curveKey(), "a key or a list of them")
      .optional()
      .meta({
        description: "With `bind`: the public keys of those who may connect, or their files.",
        examples: [["/etc/stoplog/scorer.pub"]],
      }),
  })
  .meta({
    description: "Keys of CURVE, with which ØMQ encrypts connections and knows who is at their other end.",
  });

export const heartbeat = () =>
  flag().default(false).meta({
    description:
      "`true` when peers are pinged as well. Those with libzmq before 4.2 do not answer and would be cut off when they are silent; the kernel asks after dead machines either way.",
  });
