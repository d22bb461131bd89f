import { LIMITS } from "../core/limits.ts";
import { MINUTE, SECOND } from "../core/time.ts";
import type { CommonOptions, HookOptions, Template, WebhookOptions } from "../notify/options.ts";
import { isBodyGood, PLACEHOLDERS, unknownPlaceholders } from "../notify/template/body.ts";
import { type NotifyKind, notifySchemas } from "./notify-schema.ts";
import {
  defaultOf,
  didYouMean,
  entryOf,
  readNames,
  readObject,
  requireKeys,
  type Where,
  type Written,
} from "./read-object.ts";
import { missing } from "./section.ts";
import { NAME, shown } from "./values.ts";
import { plainOf, shorten, type Tree } from "./yaml-tree.ts";

/** What a notification may refer to. */
export interface Referable {
  readonly jails: readonly string[];
  readonly targets: readonly string[];
  /** What is no error but ought to be known is added here. */
  readonly notes: string[];
}

/** Whoever is told of bans; those in which something is wrong are left out, and it was reported. */
export function readNotify(tree: Tree | null, known: Referable, where: Where): readonly HookOptions[] {
  return [...readNames(tree, "notification", NAME, where)].flatMap(([name, { keyAt, value }]) => {
    const inside = { what: `notification ${shorten(name)}`, report: where.report, at: keyAt };
    const kind = kindOf(value, inside);
    if (kind === null) return [];
    const before = where.report.count;
    requireKeys(notifySchemas[kind], value, inside);
    const options = readers[kind]({ name, tree: value, known, where: inside });
    return where.report.count > before ? [] : options;
  });
}

const KINDS = Object.keys(notifySchemas) as readonly NotifyKind[];

function kindOf(tree: Tree, { report, what, at }: Where): NotifyKind | null {
  const entry = entryOf(tree, "type");
  const written = entry === null ? undefined : plainOf(entry.value);
  const known = KINDS.find((kind) => kind === written);
  if (known !== undefined) return known;
  const hint = didYouMean(String(written), KINDS);
  const fact =
    entry === null
      ? `type is missing: one of ${KINDS.join(", ")}`
      : `type must be one of ${KINDS.join(", ")}, not ${shown(written)}${hint}`;
  report.error(what, fact, entry?.value.at ?? at);
  return null;
}

interface Reading {
  readonly name: string;
  readonly tree: Tree;
  readonly known: Referable;
  readonly where: Where;
}

const readers: Readonly<Record<NotifyKind, (reading: Reading) => HookOptions>> = {
  webhook: (reading) => {
    const written = readObject(notifySchemas.webhook, reading.tree, reading.where);
    const template = templateOf(written, reading);
    const url = placeOf(written, template, reading);
    const each = template.kind === "abuseipdb" || (written.each ?? false);
    const { headers = {}, key_file: keyFile = null, secret_file: secretFile = null } = written;
    if (keyFile === null && NEED_KEY.has(template.kind))
      fault(`key_file is missing: ${template.kind} asks for a key`, "template", reading);
    const standard = {
      every: each ? SECOND : 10 * SECOND,
      most: IN_FULL.has(template.kind) ? LIMITS.notifyListed.value : IN_A_CHAT,
    };
    const common = commonOf(written, standard, reading);
    return { ...common, each, type: "webhook", url, template, headers, keyFile, secretFile };
  },
  mail: (reading) => {
    const written = readObject(notifySchemas.mail, reading.tree, reading.where);
    const { to = [], from = null } = written;
    const sendmail = written.sendmail ?? defaultOf(notifySchemas.mail, "sendmail") ?? "";
    const common = commonOf(written, { every: 5 * MINUTE, most: LIMITS.notifyListed.value }, reading);
    return { ...common, type: "mail", to, from, sendmail };
  },
  command: (reading) => {
    const written = readObject(notifySchemas.command, reading.tree, reading.where);
    const common = commonOf(written, { every: 10 * SECOND, most: LIMITS.notifyListed.value }, reading);
    return { ...common, type: "command", command: written.command ?? [] };
  },
};

const IN_A_CHAT = 10;
const IN_FULL: ReadonlySet<Template["kind"]> = new Set(["json", "body"]);
const NEED_KEY: ReadonlySet<Template["kind"]> = new Set(["telegram", "gotify", "matrix", "abuseipdb"]);

/** Keys that go with one template only. */
const OF_TEMPLATE = { chat_id: "telegram", room: "matrix", categories: "abuseipdb" } as const;

const OWN_URL: Partial<Record<Template["kind"], string>> = {
  telegram: "https://api.telegram.org",
  abuseipdb: "https://api.abuseipdb.com/api/v2/report",
};

type WrittenWebhook = Written<typeof notifySchemas.webhook>;

function commonOf(
  written: Pick<WrittenWebhook, "events" | "jails" | "origins" | "targets" | "every" | "most" | "timeout">,
  standard: Pick<CommonOptions, "every" | "most">,
  reading: Reading,
): CommonOptions {
  const { known, where } = reading;
  for (const kind of ["jail", "target"] as const) {
    const there = known[`${kind}s`];
    for (const name of written[`${kind}s`] ?? [])
      if (!there.includes(name)) fault(missing(kind, name, there), `${kind}s`, { ...reading, where });
  }
  return {
    name: reading.name,
    wanted: {
      events: written.events ?? ["ban"],
      jails: written.jails ?? null,
      origins: written.origins ?? null,
      targets: written.targets ?? null,
    },
    every: written.every ?? standard.every,
    most: written.most ?? standard.most,
    each: false,
    timeout: written.timeout ?? defaultOf(notifySchemas.webhook, "timeout") ?? 0,
  };
}

function templateOf(written: WrittenWebhook, reading: Reading): Template {
  const { tree, known } = reading;
  const has = (key: string): boolean => entryOf(tree, key) !== null;
  if (has("body") && has("template")) fault("body does not go with template", "body", reading);
  if (has("content_type") && !has("body")) fault("content_type goes with body only", "content_type", reading);
  const kind = written.template === "msteams" ? "teams" : (written.template ?? "json");
  for (const [key, of] of Object.entries(OF_TEMPLATE)) {
    if (has(key) && kind !== of) fault(`${key} goes with template: ${of} only`, key, reading);
    if (!has(key) && kind === of) fault(`${key} is missing: ${of} needs it`, "template", reading);
  }
  if (written.body !== undefined) {
    const contentType = written.content_type ?? defaultOf(notifySchemas.webhook, "content_type") ?? "";
    checkBody(written.body, contentType, reading);
    return { kind: "body", text: written.body, contentType };
  }
  switch (kind) {
    case "telegram":
      return { kind, chatId: written.chat_id ?? "" };
    case "matrix":
      return { kind, room: written.room ?? "" };
    case "abuseipdb": {
      const categories = written.categories ?? {};
      for (const name of Object.keys(categories))
        if (!known.jails.includes(name)) fault(missing("jail", name, known.jails), "categories", reading);
      return { kind, categories };
    }
    default:
      return { kind };
  }
}

function checkBody(body: string, contentType: string, reading: Reading): void {
  const [wrong] = unknownPlaceholders(body);
  if (wrong !== undefined)
    return fault(
      `body: there is nothing to fill in for {${wrong}}${didYouMean(wrong, PLACEHOLDERS)}`,
      "body",
      reading,
    );
  if (!isBodyGood(body, contentType))
    fault("body is no JSON once it is filled in; texts need quotes around them", "body", reading);
}

function placeOf(written: WrittenWebhook, template: Template, reading: Reading): WebhookOptions["url"] {
  const { tree, known, name } = reading;
  const isTwice = entryOf(tree, "url") !== null && entryOf(tree, "url_file") !== null;
  if (isTwice) fault("url and url_file do not go together", "url_file", reading);
  if (written.url_file !== undefined) return { file: written.url_file };
  const text = written.url ?? OWN_URL[template.kind];
  if (text === undefined) {
    if (entryOf(tree, "url") === null && entryOf(tree, "url_file") === null)
      fault("url is missing, or url_file", "type", reading);
    return { text: "" };
  }
  const { protocol, hostname } = new URL(text);
  if (protocol === "http:" && !LOOPBACK.test(hostname))
    known.notes.push(`notification ${name} goes over http: whoever is in between can read it`);
  return { text };
}

const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** Where a key stands, or where the notification begins. */
function fault(fact: string, key: string, { tree, where }: Reading): void {
  where.report.error(where.what, fact, entryOf(tree, key)?.keyAt ?? where.at);
}
