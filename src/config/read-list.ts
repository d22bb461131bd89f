import type { ListConfig } from "../lists/lists.ts";
import { DEFAULT_SWAY } from "../lists/reading/check-list.ts";
import { DEFAULT_BOUNDS } from "../lists/reading/parse-list.ts";
import { listSchema } from "./list-schema.ts";
import { defaultOf, entryOf, readObject, type Where } from "./read-object.ts";
import type { Tree } from "./yaml-tree.ts";

/** Reads a list; null when something in it is wrong, which was reported then. */
export function readList(name: string, tree: Tree, where: Where): ListConfig | null {
  const { report, what, at } = where;
  const before = report.count;
  const written = readObject(listSchema, tree, where);
  if (tree.kind === "map") {
    const places = PLACES.filter((key) => tree.entries.has(key));
    if (places.length !== 1) report.error(what, `it needs one of ${PLACES.join(", ")}`, at);
    if (!tree.entries.has("url")) {
      for (const key of ["interval", "headers"]) {
        const entry = entryOf(tree, key);
        if (entry !== null) report.error(what, `${key} goes with url only`, entry.keyAt);
      }
    }
  }
  // The kernel's tools would not show it.
  if (/^[0-9]/.test(name)) report.error(what, "the name must begin with a letter", at);
  const { url, file, directory = file ?? "" } = written;
  const { verdict = "drop", interval = defaultOf(listSchema, "interval") ?? 0, headers = {} } = written;
  if (report.count > before) return null;
  return {
    verdict,
    name,
    from: url === undefined ? { kind: "files", path: directory } : { kind: "url", url, headers, interval },
    bounds: {
      ...DEFAULT_BOUNDS,
      widestV4: written.widest_ipv4 ?? DEFAULT_BOUNDS.widestV4,
      widestV6: written.widest_ipv6 ?? DEFAULT_BOUNDS.widestV6,
      entries: written.entries ?? DEFAULT_BOUNDS.entries,
    },
    sway: {
      ...DEFAULT_SWAY,
      grow: written.grow ?? DEFAULT_SWAY.grow,
      shrink: written.shrink ?? DEFAULT_SWAY.shrink,
    },
  };
}

const PLACES = ["file", "directory", "url"];
