import { z } from "zod";
import { flag, name, oneOrMore, path, shown, text } from "./values.ts";

export const tokenSchema = z
  .strictObject({
    secret_file: path("an absolute path")
      .optional()
      .meta({
        description: "A file that holds what must be shown, on its first line. This or `sha256`.",
        examples: ["/etc/stoplog/scorer.token"],
      }),
    sha256: text("64 hexadecimal digits")
      .regex(/^[0-9a-f]{64}$/i, {
        error: (issue) => `must be 64 hexadecimal digits, not ${shown(issue.input)}`,
      })
      .optional()
      .meta({
        description: "The SHA-256 of what must be shown, so that no secret stands here.",
        examples: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
      }),
    origin: name("the name of an origin")
      .optional()
      .meta({
        description:
          "In whose name its orders come: what it may, its rate and its widest network stand there (see Origins). Without it, in its own.",
        examples: ["scorer"],
      }),
    read: flag()
      .default(false)
      .meta({ description: "`true` when it may read bans, their changes and the status." }),
  })
  .meta({ description: "Who may come in." });

export const apiSchema = z
  .strictObject({
    listen: oneOrMore(text("HOST:PORT"), "HOST:PORT or a list of them").meta({
      description:
        "Where it is offered over TCP; IPv6 in brackets. On other addresses than loopback with TLS only.",
      examples: ["127.0.0.1:8443", ["0.0.0.0:8443", "[::]:8443"]],
    }),
    cert: path("an absolute path")
      .optional()
      .meta({ description: "The certificate with its chain (PEM).", examples: ["/etc/stoplog/api.crt"] }),
    key: path("an absolute path")
      .optional()
      .meta({ description: "Its key (PEM).", examples: ["/etc/stoplog/api.key"] }),
    tokens: z
      .record(z.string(), tokenSchema, {
        error: (issue) => `must be a map of names, not ${shown(issue.input)}`,
      })
      .meta({
        description: "Who may come in, by name.",
        examples: [{ scorer: { secret_file: "/etc/stoplog/scorer.token" } }],
      }),
  })
  .meta({
    description:
      "The API over TCP, for orders and readers from elsewhere. Without this section it is on the control socket only.",
  });
