import { basename, dirname, join } from "node:path";
import { Definition } from "./definition.ts";
import type { Disk } from "./disk.ts";
import { Notes } from "./notes.ts";
import { parseCall } from "./options.ts";
import { FileReader } from "./read-files.ts";
import { tried } from "./read-jails.ts";
import type { OriginalPatterns } from "./trial/original.ts";

/** A filter of fail2ban as its files have it. */
export interface ReadFilter {
  readonly name: string;
  /** The folder above filter.d. */
  readonly folder: string;
  readonly options: ReadonlyMap<string, string>;
  readonly patterns: OriginalPatterns;
}

/**
 * Reads a filter: the path of its file, or a name in `filter.d`, perhaps with options: `sshd[mode=aggressive]`. Null when there is none.
 * Throws a StoplogError for a file that cannot be read.
 */
export function readFilter(text: string, folder: string, disk: Disk): ReadFilter | null {
  const call = parseCall(text.trim());
  if (call === null) return null;
  const isPath = call.name.includes("/") || /\.(?:conf|local)$/.test(call.name);
  const file = call.name.replace(/\.(?:conf|local)$/, "");
  const path = isPath ? file : join(folder, "filter.d", file);
  if (!disk.exists(`${path}.conf`) && !disk.exists(`${path}.local`)) return null;
  const settings = new FileReader(disk, new Notes()).read(path);
  if (settings === null) return null;
  const definition = new Definition(settings, new Map([["logtype", "file"], ...call.options]));
  const get = (option: string): string => tried(definition, option, () => undefined)?.text.trim() ?? "";
  const list = (option: string): readonly string[] =>
    get(option)
      .split("\n")
      .flatMap((line) => line.trim() || []);
  return {
    name: basename(path),
    options: call.options,
    folder: isPath ? dirname(dirname(path)) : folder,
    patterns: {
      failregex: list("failregex"),
      ignoreregex: list("ignoreregex"),
      prefregex: get("prefregex") || null,
      datepattern: get("datepattern") || null,
      usesNames: true,
      isJournal: false,
    },
  };
}
