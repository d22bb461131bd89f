import type { SourceConfig, SourceOrders } from "./config.ts";
import { busOf } from "./read-bus.ts";
import {
  defaultOf,
  didYouMean,
  entryOf,
  readObject,
  requireKeys,
  type Where,
  type Written,
} from "./read-object.ts";
import { sourceSchemas } from "./source-schema.ts";
import { shown } from "./values.ts";
import { plainOf, type Tree } from "./yaml-tree.ts";

/** Reads a source by the schema of its type; null when something in it is wrong, which was reported then. */
export function readSource(tree: Tree, where: Where): SourceConfig | null {
  const { report, what } = where;
  const before = report.count;
  const type = entryOf(tree, "type");
  if (tree.kind !== "map" || type === null) {
    report.error(what, `type is missing: one of ${TYPES.join(", ")}`, where.at);
    return null;
  }
  const written = plainOf(type.value);
  const known = TYPES.find((name) => name === written);
  if (known === undefined) {
    const hint = didYouMean(String(written), TYPES);
    report.error(
      what,
      `type must be one of ${TYPES.join(", ")}, not ${shown(written)}${hint}`,
      type.value.at,
    );
    return null;
  }
  const options = optionsOf(known, tree, where);
  return report.count > before ? null : options;
}

const TYPES = Object.keys(sourceSchemas) as readonly (keyof typeof sourceSchemas)[];

/** The options as the source takes them. Keys that were left out are left to it, but for those that all sources share. */
function optionsOf(type: keyof typeof sourceSchemas, tree: Tree, where: Where): SourceConfig | null {
  switch (type) {
    case "file": {
      const written = read(sourceSchemas.file, tree, where);
      const { path, start, max_behind, ...rest } = written;
      if (path === undefined) return null;
      return {
        type,
        path: path.length === 1 && path[0] !== undefined ? path[0] : path,
        start,
        maxBehind: max_behind,
        ...shared(rest),
        ...ordersOf(written, tree, where),
      };
    }
    case "syslog": {
      const { listen, mode, owner, group, ...rest } = read(sourceSchemas.syslog, tree, where);
      if (listen === undefined) return null;
      if (!listen.startsWith("unix:")) {
        for (const key of ["mode", "owner", "group"]) {
          const entry = entryOf(tree, key);
          if (entry !== null)
            where.report.error(where.what, `${key} goes with listen: unix:PATH only`, entry.keyAt);
        }
      }
      return { type, listen, mode, owner, group, ...shared(rest) };
    }
    case "journal": {
      const { units, identifiers, matches, directory, ...rest } = read(sourceSchemas.journal, tree, where);
      return { type, units, identifiers, matches, directory, ...shared(rest) };
    }
    case "kmsg": {
      const { path, ...rest } = read(sourceSchemas.kmsg, tree, where);
      return { type, path, ...shared(rest) };
    }
    case "nflog": {
      const { group, install = false, over } = read(sourceSchemas.nflog, tree, where);
      const entry = entryOf(tree, "over");
      if (entry !== null && !install)
        where.report.error(where.what, "over goes with install: true only", entry.keyAt);
      return group === undefined ? null : { type, group, install, over };
    }
    case "zmq": {
      const written = read(sourceSchemas.zmq, tree, where);
      const { topic = defaultOf(sourceSchemas.zmq, "topic") ?? [] } = written;
      const { origin = null, bantime = null, target = null } = written;
      return { type, topics: topic, ...busOf(written, tree, where), orders: { origin, bantime, target } };
    }
    case "command": {
      const written = read(sourceSchemas.command, tree, where);
      const { command } = written;
      return command === undefined
        ? null
        : { type, command, ...shared(written), ...ordersOf(written, tree, where) };
    }
    case "stdin": {
      const written = read(sourceSchemas.stdin, tree, where);
      return { type, ...shared(written), ...ordersOf(written, tree, where) };
    }
  }
}

function read<Schema extends (typeof sourceSchemas)[keyof typeof sourceSchemas]>(
  schema: Schema,
  tree: Tree,
  where: Where,
): Written<Schema> {
  requireKeys(schema, tree, where);
  return readObject(schema, tree, where);
}

function shared({ max_line, timezone }: { readonly max_line?: number; readonly timezone?: string }): {
  readonly maxLine: number | undefined;
  readonly timezone: string | undefined;
} {
  return { maxLine: max_line, timezone };
}

/** The door that a source of orders is; its origin is called like the source unless another is named. */
function ordersOf(
  written: Pick<Written<typeof sourceSchemas.stdin>, "orders" | "origin" | "bantime" | "target">,
  tree: Tree,
  where: Where,
): { readonly orders?: SourceOrders } {
  const { orders = false, origin = null, bantime = null, target = null } = written;
  if (orders) return { orders: { origin, bantime, target } };
  for (const key of ["origin", "bantime", "target"]) {
    const entry = entryOf(tree, key);
    if (entry !== null) where.report.error(where.what, `${key} goes with orders: true only`, entry.keyAt);
  }
  return {};
}
