import { z } from "zod";
import { oneOrMore, port, rate, wholeNumber, word } from "./values.ts";

export const targetSchema = z
  .strictObject({
    enforcer: word(["nftables", "nft", "dry-run"])
      .default("nftables")
      .meta({
        description:
          "`nftables` speaks to the kernel itself, `nft` runs the program of that name, `dry-run` only says what it would do.",
        examples: ["dry-run"],
      }),
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
        description:
          "How many packets `throttle` lets through at once before the `rate` holds. Without it, 5.",
        examples: [20],
      }),
    ports: oneOrMore(port(), "a port or a list of them")
      .optional()
      .meta({
        description: "The verdict holds for these destination ports only. Without it, for all traffic.",
        examples: [[22, "80-90", "https"]],
      }),
    protocols: oneOrMore(word(["tcp", "udp", "sctp", "dccp"]), "tcp, udp, sctp or dccp, or a list of them")
      .optional()
      .meta({
        description: "Protocols that `ports` are of. Without it, tcp and udp.",
        examples: [["tcp"]],
      }),
  })
  .meta({ description: "A named place and way to enforce bans." });
