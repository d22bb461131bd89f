import { parseIni, SYSTEMD } from "../core/ini.ts";
import type { Host } from "./host.ts";

/** The settings of one section, by name in lower case. */
export type Settings = ReadonlyMap<string, string>;

/**
 * Reads a section from a configuration file of systemd and its drop-ins, as systemd does: of drop-ins with the same name, the one in the
 * first of `folders` counts; drop-ins are read in the order of their names; the last value counts.
 */
export function readSystemdSection(
  host: Host,
  {
    main,
    folders,
    section,
  }: { readonly main: readonly string[]; readonly folders: readonly string[]; readonly section: string },
): Settings {
  const first = main.find((path) => host.stat(path) !== null);
  const dropIns = new Map<string, string>();
  for (const folder of folders) {
    for (const name of host.list(folder)) {
      if (name.endsWith(".conf") && !dropIns.has(name)) dropIns.set(name, `${folder}/${name}`);
    }
  }
  const paths = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const settings = new Map<string, string>();
  for (const path of first === undefined ? paths : [first, ...paths]) {
    const { sections } = parseIni(host.read(path) ?? "", path, SYSTEMD);
    for (const [key, { text }] of sections.get(section) ?? []) settings.set(key, text);
  }
  return settings;
}

/** The directories of systemd's files, in order of precedence. */
export const SYSTEMD_FOLDERS: readonly string[] = [
  "/etc/systemd",
  "/run/systemd",
  "/usr/local/lib/systemd",
  "/usr/lib/systemd",
  "/lib/systemd",
];
