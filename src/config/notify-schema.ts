import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { command, duration, flag, name, oneOrMore, path, shown, text, wholeNumber, word } from "./values.ts";

const names = (what: string) =>
  oneOrMore(name(`the name of ${what}`), `the name of ${what} or a list of them`);

const commonKeys = {
  events: oneOrMore(word(["ban", "prolong", "lift"]), "ban, prolong or lift, or a list of them")
    .prefault(["ban"])
    .meta({
      description: "What is told: a new ban, one that now ends later, the end of one.",
      examples: [["ban", "lift"]],
    }),
  jails: names("a jail")
    .optional()
    .meta({ description: "Bans of these jails only.", examples: [["sshd"]] }),
  origins: names("an origin")
    .optional()
    .meta({
      description: "Bans that these have ordered only; `local` are our own jails, `operator` is by hand.",
      examples: [["local"]],
    }),
  targets: names("a target")
    .optional()
    .meta({ description: "Bans at these targets only.", examples: [["default"]] }),
  every: duration({ forever: false, years: 1 })
    .optional()
    .meta({
      description:
        "A message follows another no sooner; what happens meanwhile goes into one. The first goes at once. Without it 10s, by mail 5m, with `each` 1s.",
      examples: ["1m"],
    }),
  most: wholeNumber(1, 1000)
    .optional()
    .meta({
      description: `Changes that a message tells one by one; of the rest it says how many. Without it ${LIMITS.notifyListed.value}, in a chat 10.`,
      examples: [20],
    }),
  timeout: duration({ forever: false, years: 1 })
    .prefault("10s")
    .meta({ description: "How long one try may take.", examples: ["30s"] }),
};

const kindKey = <const Kind extends string>(kind: Kind) =>
  z.literal(kind).meta({ description: `\`${kind}\`.`, examples: [kind] });

/** Of a header, and of what stands in it. */
const headers = z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), text("a text").regex(/^[\x20-\x7e]*$/));

/** No line of a header can end within. */
function mailbox(what: string) {
  return text(what)
    .max(254, { error: `must be ${what} of at most 254 characters` })
    .regex(/^[A-Za-z0-9.!#$%&'*+/=?^_{|}~][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]*(?:@[A-Za-z0-9.-]+)?$/, {
      error: (issue) => `must be ${what} such as root or me@example.org, not ${shown(issue.input)}`,
    });
}

export const TEMPLATES = [
  "json",
  "slack",
  "discord",
  "teams",
  "msteams",
  "mattermost",
  "telegram",
  "ntfy",
  "gotify",
  "matrix",
  "abuseipdb",
] as const;

/** By the word after `type:`. */
export const notifySchemas = {
  webhook: z
    .strictObject({
      type: kindKey("webhook"),
      url: text("a URL")
        .refine(isSendable, {
          error: (issue) =>
            `must begin with https:// or http:// and hold no password, not ${shown(issue.input)}`,
        })
        .optional()
        .meta({
          description:
            "Where it goes. For gotify, matrix and telegram the server's; for ntfy with the topic. telegram and abuseipdb have their own.",
          examples: ["https://example.org/hook"],
        }),
      url_file: path("an absolute path")
        .optional()
        .meta({
          description: "The same in a file, for a URL that is a secret.",
          examples: ["/etc/stoplog/slack.url"],
        }),
      template: word(TEMPLATES)
        .optional()
        .meta({
          description: "The shape of what is sent. Without it and without `body`, `json`.",
          examples: ["slack"],
        }),
      body: text("a text")
        .max(65_536, { error: "must have 65536 characters or less" })
        .optional()
        .meta({
          description: "A shape of your own, in which names in braces are filled in.",
          examples: ['{"text": "{kind} {address}: {reason}"}'],
        }),
      content_type: text("a media type")
        .regex(/^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w.-]+)?$/, {
          error: (issue) => `must be a media type such as text/plain, not ${shown(issue.input)}`,
        })
        .default("application/json")
        .meta({
          description: "What `body` is; decides how what is filled in is escaped.",
          examples: ["application/x-www-form-urlencoded"],
        }),
      each: flag().default(false).meta({
        description: "`true` for a message for each change, whatever their number.",
      }),
      headers: headers
        .optional()
        .meta({ description: "Headers beside ours.", examples: [{ "X-Team": "ops" }] }),
      key_file: path("an absolute path")
        .optional()
        .meta({
          description:
            "A file with what the service knows you by: the bot's token of telegram, gotify's and abuseipdb's key, for others a bearer token.",
          examples: ["/etc/stoplog/telegram.token"],
        }),
      secret_file: path("an absolute path")
        .optional()
        .meta({
          description: "A file with a secret that messages are signed with (`X-Stoplog-Signature`).",
          examples: ["/etc/stoplog/hook.secret"],
        }),
      chat_id: z
        .union([z.int(), text("a chat")], { error: "must be a chat's number or @name" })
        .transform(String)
        .optional()
        .meta({ description: "With telegram: the chat.", examples: [-1001234567890] }),
      room: text("a room")
        .optional()
        .meta({ description: "With matrix: the room's id.", examples: ["!abc:example.org"] }),
      categories: z
        .record(z.string(), oneOrMore(wholeNumber(1, 99), "a number or a list of them"), {
          error: (issue) => `must be a map of jails to numbers, not ${shown(issue.input)}`,
        })
        .optional()
        .meta({
          description: "With abuseipdb: the categories of each jail that is reported.",
          examples: [{ sshd: [18, 22] }],
        }),
      ...commonKeys,
    })
    .meta({ description: "A message to a URL." }),
  mail: z
    .strictObject({
      type: kindKey("mail"),
      to: oneOrMore(mailbox("an address"), "an address or a list of them").meta({
        description: "To whom.",
        examples: ["root", ["me@example.org"]],
      }),
      from: mailbox("an address")
        .optional()
        .meta({
          description: "From whom. Without it sendmail says.",
          examples: ["stoplog@example.org"],
        }),
      sendmail: path("an absolute path")
        .default("/usr/sbin/sendmail")
        .meta({ description: "What takes it: run with `-t -i`.", examples: ["/usr/bin/msmtp"] }),
      ...commonKeys,
    })
    .meta({ description: "E-mail through the machine's own sendmail." }),
  command: z
    .strictObject({
      type: kindKey("command"),
      command: command().meta({
        description:
          "A program and its arguments, without a shell. It reads the document of `template: json` from its standard input.",
        examples: [["/usr/local/bin/tell"]],
      }),
      ...commonKeys,
    })
    .meta({ description: "A program of yours, run for each message." }),
};

export type NotifyKind = keyof typeof notifySchemas;

export const notifySchema = z.discriminatedUnion("type", [
  notifySchemas.webhook,
  notifySchemas.mail,
  notifySchemas.command,
]);

/** A password in a URL would show in logs. */
function isSendable(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === "https:" || protocol === "http:") && username === "" && password === "";
}
