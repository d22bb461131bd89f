import type { Message, NotifyEvent } from "../message.ts";
import { sizeOf } from "../message.ts";
import { printable } from "../../core/printable.ts";
import { linesOf, summaryOf, titleOf } from "../wording.ts";

/** The names that may stand in braces in a body of the user's, and what is put there. */
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
 * Fills in a body. What is filled in is escaped as the content type wants it, so that it stays a text within quotes, a value of a form or the
 * text of an element, whoever wrote it. Of several changes those of one change are of the first; `{addresses}` has them all.
 */
export function fillInBody(template: string, contentType: string, message: Message): string {
  const values = valuesOf(message);
  const escape = escapeFor(contentType);
  return template.replace(NAME_IN_BRACES, (whole, name: string) =>
    isPlaceholder(name) ? escape(values[name]) : whole,
  );
}

/** Names in braces that are none of ours. Braces around anything else, such as JSON's own, are left alone. */
export function unknownPlaceholders(template: string): readonly string[] {
  const names = [...template.matchAll(NAME_IN_BRACES)].map(([, name = ""]) => name);
  return [...new Set(names)].filter((name) => !isPlaceholder(name));
}

/** A template for JSON must be JSON once it is filled in. */
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

/** Texts that no JSON takes without quotes. */
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
