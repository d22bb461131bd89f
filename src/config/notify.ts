import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { missing } from "../schema/missing.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { NotifierKind, Pace, Referable } from "../notify/kind.ts";
import { NOTIFIER_KINDS } from "../notify/kinds.ts";
import type { CommonOptions, HookOptions } from "../notify/options.ts";
import type { Chapter } from "./chapter.ts";
import { chooseKind } from "./choose-kind.ts";

// The section `notify`. Each kind of notifier has its own keys (src/notify/kinds.ts); the keys that all share are here.

const names = (what: string) =>
  v.oneOrMore(v.name(`the name of ${what}`), `the name of ${what} or a list of them`);

const EVENTS = ["ban", "prolong", "lift"] as const;

const commonKeys = {
  events: v
    .oneOrMore(v.word(EVENTS), `${v.orList(EVENTS)}, or a list of them`)
    .prefault(["ban"])
    .meta({
      description:
        "Which changes are sent: `ban`, `prolong` (a ban that now ends later), `lift` (the end of a ban).",
      examples: [["ban", "lift"]],
    }),
  jails: names("a jail")
    .optional()
    .meta({ description: "Only bans of these jails.", examples: [["sshd"]] }),
  origins: names("an origin")
    .optional()
    .meta({
      description: "Only bans of these origins; `local` for bans by jails, `operator` for bans by hand.",
      examples: [["local"]],
    }),
  targets: names("a target")
    .optional()
    .meta({ description: "Only bans at these targets.", examples: [["default"]] }),
  every: v
    .duration({ forever: false, years: 1 })
    .optional()
    .meta({
      description:
        "The shortest time between two messages; changes meanwhile share the next one. The first message is sent at once. Without it, 10s; 5m for mail; 1s with `each`.",
      examples: ["1m"],
    }),
  most: v
    .wholeNumber(1, 1000)
    .optional()
    .meta({
      description: `The changes that a message lists one by one; it counts the rest. Without it, ${LIMITS.notifyListed.value}; 10 in a chat.`,
      examples: [20],
    }),
  timeout: v
    .duration({ forever: false, years: 1 })
    .prefault("10s")
    .meta({ description: "How long one try may take.", examples: ["30s"] }),
};

const schemas: Readonly<Record<string, z.ZodObject>> = Object.fromEntries(
  NOTIFIER_KINDS.map((kind) => [kind.name, schemaOf(kind)]),
);

export const notifyKey = z
  .record(z.string().regex(v.NAME), z.union(Object.values(schemas)))
  .optional()
  .meta({
    description: "Where notifications of bans are sent, by name.",
    examples: [{ team: { type: "webhook", template: "slack", url_file: "/etc/stoplog/slack.url" } }],
  });

export const notifyChapter: Chapter = {
  title: "Notifications",
  text: "Where notifications of bans are sent. Each has a name of your choice and a `type`. See [the guide](../guide/notify.md).",
  parts: Object.entries(schemas).map(([type, schema]) => ({ title: `type: ${type}`, schema })),
};

/** A notification with errors is left out; they are reported. */
export function readNotify(top: Section, known: Referable): readonly HookOptions[] {
  const read = top.named("notify", "notification", (name, section) => readOne(name, section, known));
  return [...read.values()].filter((options) => options !== null);
}

function readOne(name: string, section: Section, known: Referable): HookOptions | null {
  const kind = chooseKind(section, "type", NOTIFIER_KINDS);
  const schema = schemas[kind?.name ?? ""];
  if (kind === null || schema === undefined) return null;
  const { complete: values } = section.read(schema);
  if (values === null) return null;
  const own = kind.options.read(values, section, { name, known });
  const common = commonOf(name, values as Common, kind.defaults(own));
  for (const one of ["jail", "target"] as const)
    for (const named of common.wanted[`${one}s`] ?? [])
      if (!known[`${one}s`].includes(named)) section.refuse(missing(one, named, known[`${one}s`]), `${one}s`);
  return { ...common, ...own };
}

type Common = z.output<z.ZodObject<typeof commonKeys>>;

function commonOf(name: string, values: Common, pace: Pace): Omit<CommonOptions, "each"> {
  const { events, jails = null, origins = null, targets = null, timeout } = values;
  return {
    name,
    wanted: { events, jails, origins, targets },
    every: values.every ?? pace.every,
    most: values.most ?? pace.most,
    timeout,
  };
}

function schemaOf({ name, summary, description, options }: NotifierKind): z.ZodObject {
  return z
    .strictObject({ type: v.kindKey(name, summary), ...options.keys(v), ...commonKeys })
    .meta({ description });
}
