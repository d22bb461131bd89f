import type { Message, NotifyEvent } from "../message.ts";
import { sizeOf } from "../message.ts";
import { printable } from "../../core/printable.ts";
import { linesOf, summaryOf, titleOf } from "../wording.ts";
import { bearer } from "./rendered.ts";
import type { Template, TemplateKind } from "./template.ts";

export interface BodyTemplate extends Template {
  readonly text: string;
  readonly contentType: string;
}

/** The operator's own body. It has no name in `template`: the key `body` chooses it. */
export const body: TemplateKind<BodyTemplate> = {
  name: "body",
  listsAll: true,
  render(message, { url, key }, { contentType, text }) {
    const headers = { "content-type": contentType, ...bearer(key) };
    return { method: "POST", url, headers, body: fillInBody(text, contentType, message) };
  },
};

/** The names in braces that are replaced in a body. */
export type Placeholder = (typeof PLACEHOLDERS)[number];

export const PLACEHOLDERS = [
  "address",
  "addresses",
  "jail",
  "target",
  "reason",
  "kind",
  "since",
  "until",
  "origin",
  "by",
  "seq",
  "epoch",
  "host",
  "count",
  "summary",
  "title",
  "text",
  "id",
] as const;

/**
 * Fills in a body. Values are escaped for the content type, so that hostile text stays within its quotes, form field or element. Of
 * several changes, `{address}` and the like are those of the first; `{addresses}` has all.
 */
export function fillInBody(template: string, contentType: string, message: Message): string {
  const values = valuesOf(message);
  const escape = escapeFor(contentType);
  return template.replace(NAME_IN_BRACES, (whole, name: string) =>
    isPlaceholder(name) ? escape(values[name]) : whole,
  );
}

/** Names in braces that are not placeholders. Other braces, such as JSON's own, are left alone. */
export function unknownPlaceholders(template: string): readonly string[] {
  const names = [...template.matchAll(NAME_IN_BRACES)].map(([, name = ""]) => name);
  return [...new Set(names)].filter((name) => !isPlaceholder(name));
}

/** Whether a JSON body is JSON once it is filled in. */
export function isBodyGood(template: string, contentType: string): boolean {
  if (!isJson(contentType)) return true;
  try {
    JSON.parse(fillInBody(template, contentType, SAMPLE));
    return true;
  } catch {
    return false;
  }
}

const NAME_IN_BRACES = /\{([a-z_]{1,32})\}/g;

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

function valuesOf(message: Message): Readonly<Record<Placeholder, string>> {
  const [first] = message.events;
  const of = (key: keyof NotifyEvent): string => printable(String(first?.[key] ?? ""));
  return {
    address: of("address"),
    addresses: message.events.map(({ address }) => address).join(", "),
    jail: of("jail"),
    target: of("target"),
    reason: of("reason"),
    kind: of("kind"),
    since: of("since"),
    until: of("until"),
    origin: of("origin"),
    by: of("by"),
    seq: String(first?.seq ?? 0),
    epoch: of("epoch"),
    host: printable(message.host),
    count: String(sizeOf(message)),
    summary: summaryOf(message),
    title: titleOf(message),
    text: linesOf(message, printable).join("\n"),
    id: message.id,
  };
}

/** Values that are not JSON without quotes. */
const SAMPLE: Message = {
  id: "a",
  host: "a",
  events: [
    {
      seq: 1,
      epoch: "a",
      kind: "lift",
      address: "192.0.2.1",
      jail: "a",
      target: "a",
      reason: "a",
      since: "a",
      until: "a",
      origin: "a",
      by: "expiry",
      host: "a",
    },
  ],
  more: { ban: 0, prolong: 0, lift: 0 },
  missed: 0,
  since: 0,
  test: false,
};

function isJson(contentType: string): boolean {
  return /[/+]json\b/i.test(contentType);
}

function escapeFor(contentType: string): (text: string) => string {
  if (isJson(contentType)) return (text) => JSON.stringify(text).slice(1, -1);
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return encodeURIComponent;
  if (/[/+](xml|html)\b/i.test(contentType))
    return (text) => text.replace(/[&<>"'\n]/g, (one) => `&#${one.charCodeAt(0)};`);
  return (text) => text;
}
