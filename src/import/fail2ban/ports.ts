import { SERVICE_PORTS } from "../../schema/service-ports.ts";
import type { Disk } from "./disk.ts";

/** fail2ban's `port`, converted. */
export interface Ports {
  /** Empty for all traffic. */
  readonly ports: readonly (number | string)[];
  /** Unknown names. */
  readonly unknown: readonly string[];
}

/** Reads `ssh,http:https,8000-8080,http-alt,0:65535`. Names are Stoplog's or those of /etc/services. */
export function readPorts(text: string, disk: Disk): Ports {
  /** By their numbers. */
  const found = new Map<string, number | string>();
  const unknown: string[] = [];
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    if (/^(?:0[:-]65535|1[:-]65535|all|any)$/.test(word)) return { ports: [], unknown: [] };
    const ends = endsOf(word, disk);
    const numbers = ends.map((end) => numberOf(end, disk));
    const [first = null, last = null] = numbers;
    if (first === null || (ends.length === 2 && (last === null || last < first))) unknown.push(word);
    else if (ends.length === 2) found.set(`${first}-${last}`, `${first}-${last}`);
    else if (!found.has(String(first)))
      found.set(String(first), Object.hasOwn(SERVICE_PORTS, word) ? word : first);
  }
  const sorted = [...found].toSorted(([a], [b]) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  return { ports: sorted.map(([, port]) => port), unknown };
}

/** One port, or both ends of a range. Names contain hyphens too: `http-alt` is a port, `ssh-http` a range. */
function endsOf(word: string, disk: Disk): readonly string[] {
  if (numberOf(word, disk) !== null) return [word];
  const places = [...word.matchAll(/[:-]/g)].map(({ index }) => [
    word.slice(0, index),
    word.slice(index + 1),
  ]);
  return places.find((ends) => ends.every((end) => numberOf(end, disk) !== null)) ?? [word];
}

function numberOf(word: string, disk: Disk): number | null {
  const known = Object.hasOwn(SERVICE_PORTS, word) ? SERVICE_PORTS[word] : undefined;
  if (known !== undefined) return known;
  const number = /^\d{1,5}$/.test(word) ? Number(word) : servicesOf(disk).get(word);
  return number !== undefined && number >= 1 && number <= 65_535 ? number : null;
}

/** Names and aliases of /etc/services. */
function servicesOf(disk: Disk): ReadonlyMap<string, number> {
  const known = services.get(disk);
  if (known !== undefined) return known;
  const read = disk.read("/etc/services");
  const found = new Map<string, number>();
  for (const line of "text" in read ? read.text.split("\n") : []) {
    const [name = "", port = "", ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
    const number = Number(/^(\d+)\//.exec(port)?.[1]);
    if (number > 0) for (const alias of [name, ...aliases]) if (!found.has(alias)) found.set(alias, number);
  }
  services.set(disk, found);
  return found;
}

const services = new WeakMap<Disk, ReadonlyMap<string, number>>();
