import { LIMITS } from "../../core/limits.ts";
import { SECOND } from "../../core/time.ts";
import { didYouMean } from "../../schema/missing.ts";
import type { Section } from "../../schema/section.ts";
import { type NotifierKind, notifierKeys, type Referable, type Values } from "../kind.ts";
import type { NotifierOptions } from "../options.ts";
import { body, type BodyTemplate, isBodyGood, PLACEHOLDERS, unknownPlaceholders } from "../template/body.ts";
import { json } from "../template/json.ts";
import type { Template, TemplateKind } from "../template/template.ts";
import { TEMPLATES, templateKindOf } from "../template/templates.ts";

export interface WebhookOptions extends NotifierOptions {
  readonly type: "webhook";
  /** A file is read again for each message. */
  readonly url: { readonly text: string } | { readonly file: string };
  readonly template: Template;
  readonly headers: Readonly<Record<string, string>>;
  /** The file of the key by which the service knows us; where it is sent depends on the template. */
  readonly keyFile: string | null;
  /** The file of the secret that signs messages. */
  readonly secretFile: string | null;
}

/** A message to a URL: chat services, or a program of the operator's. */
export const webhook: NotifierKind<WebhookOptions> = {
  name: "webhook",
  summary: "A request to a URL.",
  description: "A message to a URL.",
  options: notifierKeys(
    (v) => ({
      url: v
        .url()
        .optional()
        .meta({
          description:
            "The URL. For gotify, matrix and telegram, the server's; for ntfy, with the topic. telegram and abuseipdb have their own.",
          examples: ["https://example.org/hook"],
        }),
      url_file: v
        .path()
        .optional()
        .meta({
          description: "A file that holds the URL, when the URL is a secret.",
          examples: ["/etc/stoplog/slack.url"],
        }),
      template: v
        .word(TEMPLATE_NAMES)
        .optional()
        .meta({
          description: "The shape of the body. Without it and without `body`, `json`.",
          examples: ["slack"],
        }),
      body: v
        .text("a text")
        .max(65_536, { error: "must have 65536 characters or less" })
        .optional()
        .meta({
          description: "A body of your own, with names in braces that are replaced.",
          examples: ['{"text": "{kind} {address}: {reason}"}'],
        }),
      content_type: v
        .matching("a media type such as text/plain", /^[\w.+-]+\/[\w.+-]+(?:; ?[\w-]+=[\w.-]+)?$/)
        .default("application/json")
        .meta({
          description: "The media type of `body`; decides how values are escaped.",
          examples: ["application/x-www-form-urlencoded"],
        }),
      each: v
        .flag()
        .default(false)
        .meta({ description: "`true`: a message for each change, without summaries." }),
      headers: v
        .headers()
        .prefault({})
        .meta({ description: "Additional HTTP headers.", examples: [{ "X-Team": "ops" }] }),
      key_file: v
        .path()
        .optional()
        .meta({
          description:
            "A file that holds the key: telegram's bot token, the key of gotify and abuseipdb, for others a bearer token.",
          examples: ["/etc/stoplog/telegram.token"],
        }),
      secret_file: v
        .path()
        .optional()
        .meta({
          description: "A file with a secret that signs messages (`X-Stoplog-Signature`).",
          examples: ["/etc/stoplog/hook.secret"],
        }),
      ...templateKeys(v),
    }),
    (values, section, { name, known }): WebhookOptions => {
      const { url_file: urlFile, key_file: keyFile = null, secret_file: secretFile = null } = values;
      if (section.has("body") && section.has("template"))
        section.refuse("body cannot be combined with template", "body");
      if (!section.has("body")) section.refuseKeys(["content_type"], "needs body");
      const kind =
        TEMPLATES.find((one) => one.name === values.template || one.alias === values.template) ?? json;
      refuseOthersKeys(kind, section);
      const template =
        values.body === undefined
          ? (kind.read?.(values, section, known) ?? { kind: kind.name })
          : ownBody(values.body, values.content_type, section);
      if (keyFile === null && kind.needsKey === true)
        section.refuse(`key_file is missing: ${kind.name} needs a key`, "template");
      return {
        type: "webhook",
        each: kind.each ?? values.each,
        url:
          urlFile === undefined
            ? urlOf(values.url ?? kind.url, section, { name, known })
            : fileOf(urlFile, section),
        template,
        headers: values.headers,
        keyFile,
        secretFile,
      };
    },
  ),
  defaults: ({ template, each }) => ({
    every: each ? SECOND : 10 * SECOND,
    most: templateKindOf(template).listsAll === true ? LIMITS.notifyListed.value : IN_A_CHAT,
  }),
  judge: ({ template }) => templateKindOf(template).judge?.(template) ?? null,
  open: async (options, parts) => (await import("./webhook.ts")).sendWebhook(options, parts),
};

const IN_A_CHAT = 10;

/** The keys of single templates. Their types are those templates' own. */
function templateKeys(v: Values): object {
  return Object.fromEntries(
    TEMPLATES.flatMap(({ keys = {} }) => Object.entries(keys).map(([key, schema]) => [key, schema(v)])),
  );
}

const TEMPLATE_NAMES = TEMPLATES.flatMap(({ name, alias }) =>
  alias === undefined ? name : [name, alias],
) as [string, ...string[]];

/** Keys of one template only: required with it, refused with any other. */
function refuseOthersKeys(kind: TemplateKind, section: Section): void {
  for (const one of TEMPLATES) {
    for (const key of Object.keys(one.keys ?? {})) {
      if (one !== kind) section.refuseKeys([key], `needs template: ${one.name}`);
      else if (!section.has(key)) section.refuse(`${key} is missing: ${one.name} needs it`, "template");
    }
  }
}

function ownBody(text: string, contentType: string, section: Section): BodyTemplate {
  const [wrong] = unknownPlaceholders(text);
  if (wrong !== undefined)
    section.refuse(`body: {${wrong}} is not a placeholder${didYouMean(wrong, PLACEHOLDERS)}`, "body");
  else if (!isBodyGood(text, contentType))
    section.refuse("body is not JSON once it is filled in; texts need quotes around them", "body");
  return { kind: body.name, text, contentType };
}

function fileOf(file: string, section: Section): WebhookOptions["url"] {
  section.refuseKeys(["url"], "cannot be combined with url_file");
  return { file };
}

function urlOf(
  text: string | undefined,
  section: Section,
  { name, known }: { readonly name: string; readonly known: Referable },
): WebhookOptions["url"] {
  if (text === undefined) {
    if (!section.has("url") && !section.has("url_file"))
      section.refuse("url is missing, or url_file", "type");
    return { text: "" };
  }
  const { protocol, hostname } = new URL(text);
  if (protocol === "http:" && !LOOPBACK.test(hostname))
    known.notes.push(`notification ${name} uses http: anyone on the path can read it`);
  return { text };
}

const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;
