import type { Host } from "./host.ts";

/** The settings of one section. */
export type Ini = ReadonlyMap<string, string>;

/**
 * Reads `SECTION`'s keys from a file of systemd and its drop-ins, as systemd does: of files with one name the one in the folder that
 * comes first in `folders` counts, they are read in the order of their names, and the last value wins.
 */
export function readSystemdSection(
  host: Host,
  {
    main,
    folders,
    section,
  }: { readonly main: readonly string[]; readonly folders: readonly string[]; readonly section: string },
): Ini {
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
    for (const [key, value] of keysOf(host.read(path) ?? "", section)) settings.set(key, value);
  }
  return settings;
}

/** The folders of systemd's files, the one that wins first. */
export const SYSTEMD_FOLDERS: readonly string[] = [
  "/etc/systemd",
  "/run/systemd",
  "/usr/local/lib/systemd",
  "/usr/lib/systemd",
  "/lib/systemd",
];

function keysOf(text: string, section: string): (readonly [string, string])[] {
  let inside = false;
  return text.split("\n").flatMap((written) => {
    const line = written.trim();
    if (line.startsWith("[")) inside = line === `[${section}]`;
    const equals = line.indexOf("=");
    if (!inside || equals < 1 || /^[#;]/.test(line)) return [];
    return [[line.slice(0, equals).trim(), line.slice(equals + 1).trim()] as const];
  });
}
