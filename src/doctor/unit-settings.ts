import { parseIni, SYSTEMD } from "../core/ini.ts";
import type { Host } from "./host.ts";
import { SYSTEMD_FOLDERS } from "./systemd-files.ts";

/** What the `[Service]` sections of an installed unit and its drop-ins say. */
export class UnitSettings {
  /** By key in lower case: all values in the order of systemd. */
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** The last value; null for a key that is nowhere. */
  last(key: string): string | null {
    return this.#values.get(key.toLowerCase())?.at(-1) ?? null;
  }

  /** The words of all values since the last empty one, as systemd joins them; null for a key that is nowhere. */
  words(key: string): readonly string[] | null {
    const values = this.#values.get(key.toLowerCase());
    if (values === undefined) return null;
    return values.slice(values.lastIndexOf("") + 1).flatMap((value) => value.split(/\s+/));
  }

  /** Whether a line `Key=value` would change nothing. */
  grants(line: string): boolean {
    const [key, value] = splitOnce(line);
    switch (key) {
      case "User":
        return [null, "", value, "0"].includes(this.last(key));
      case "AmbientCapabilities":
        return this.grants("User=root") || this.words(key)?.includes(value) === true;
      case "CapabilityBoundingSet":
        return this.words(key)?.includes(value) ?? true;
      case "ReadWritePaths":
        return this.#mayWrite(value);
      case "DeviceAllow":
        return this.words(key)?.includes(value.split(" ")[0] ?? "") ?? this.grants("PrivateDevices=no");
      default:
        return [null, "", value].includes(this.last(key)) || this.words(key)?.includes(value) === true;
    }
  }

  #mayWrite(path: string): boolean {
    const system = this.last("ProtectSystem");
    const isProtected =
      system === "strict" ||
      (system === "full" && /^\/(?:etc|usr|boot)(?:\/|$)/.test(path)) ||
      (/^(?:yes|true|1)$/.test(system ?? "") && /^\/(?:usr|boot)(?:\/|$)/.test(path));
    if (!isProtected) return true;
    const open = this.words("ReadWritePaths") ?? [];
    return open.some((entry) => isWithin(path, entry.replace(/^[-+]+/, "")));
  }
}

/** Null when no unit of the service is installed. */
export function readUnit(host: Host, unit: string | null): UnitSettings | null {
  if (unit === null) return null;
  const dropIns = new Map<string, string>();
  for (const folder of SYSTEMD_FOLDERS.map((one) => `${one}/system/stoplog.service.d`))
    for (const name of host.list(folder))
      if (name.endsWith(".conf") && !dropIns.has(name)) dropIns.set(name, `${folder}/${name}`);
  const paths = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  const values = new Map<string, string[]>();
  for (const path of [unit, ...paths])
    for (const [key, value] of serviceLines(host.read(path) ?? "")) {
      const known = values.get(key) ?? [];
      values.set(key, [...known, value]);
    }
  return new UnitSettings(values);
}

/** Repeated keys add up in systemd, so each line is read by itself. */
function serviceLines(text: string): readonly (readonly [key: string, value: string])[] {
  let isService = false;
  return text.split("\n").flatMap((line) => {
    const [, section] = /^\[(.+)\]\s*$/.exec(line) ?? [];
    if (section !== undefined) isService = section === "Service";
    if (!isService || section !== undefined) return [];
    const { sections } = parseIni(`[Service]\n${line}\n`, "", SYSTEMD);
    return [...(sections.get("Service") ?? [])].map(([key, { text: value }]) => [key, value] as const);
  });
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
