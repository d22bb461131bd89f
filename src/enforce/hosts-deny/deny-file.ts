import { isV4 } from "../../core/address.ts";
import { formatPrefix, isHost, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";

/** A ban: two lines of the file. */
export interface DenyEntry {
  readonly prefix: Prefix;
  readonly target: string;
  readonly services: string;
  /** In whole seconds; FOREVER for a permanent ban. */
  readonly until: Instant;
}

export interface DenyFile {
  /** The operator's lines, unchanged: one character a byte (latin1), each with its line end. */
  readonly others: readonly string[];
  readonly entries: readonly DenyEntry[];
}

/**
 * Reads a file in the format of hosts_access(5). A ban is two lines; the first marks it as ours and has its end:
 *
 *      # stoplog:1795132800 default
 *      ALL: 192.0.2.1
 *
 * The end cannot follow the address, where other programs put it: there a colon begins a command.
 */
export function readDenyFile(text: string): DenyFile {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const others: string[] = [];
  const entries: DenyEntry[] = [];
  for (let i = 0; i < lines.length; i++) {
    const entry = entryOf(lines[i] as string, lines[i + 1] ?? "");
    if (entry === null) others.push(lines[i] as string);
    else {
      entries.push(entry);
      i++;
    }
  }
  return { others, entries };
}

/** The file's text, piece by piece: the operator's lines first. */
export function* denyFileText({ others, entries }: DenyFile): Generator<string> {
  for (const line of others) yield line.endsWith("\n") ? line : `${line}\n`;
  for (const { prefix, target, services, until } of entries) {
    const end = until === FOREVER ? "0" : String(Math.ceil(until / SECOND));
    yield `# stoplog:${end} ${target}\n${services}: ${clientOf(prefix)}\n`;
  }
}

function entryOf(mark: string, rule: string): DenyEntry | null {
  const [, end, target = ""] = /^# stoplog:(\d{1,15}) (\S+)\r?\n$/.exec(mark) ?? [];
  const [, services = "", client = ""] = /^([^:#]+): (\S+)\s*$/.exec(rule) ?? [];
  const prefix = prefixOf(client);
  if (end === undefined || prefix === null) return null;
  return { prefix, target, services, until: end === "0" ? FOREVER : Number(end) * SECOND };
}

/** `192.0.2.1`, `198.51.100.0/255.255.255.0`, `[2001:db8::1]`, `[2001:db8::]/32`: hosts_access(5), Patterns. */
function clientOf(prefix: Prefix): string {
  const text = formatPrefix(prefix);
  const [address = "", length = ""] = text.split("/");
  if (!isV4(prefix.address)) return isHost(prefix) ? `[${text}]` : `[${address}]/${length}`;
  return isHost(prefix) ? text : `${address}/${maskOf(prefix.length)}`;
}

function maskOf(length: number): string {
  const bits = length === 0 ? 0 : (-1 << (32 - length)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join(".");
}

function prefixOf(client: string): Prefix | null {
  const [, v6, v6Length = ""] = /^\[([^\]]+)\](\/\d+)?$/.exec(client) ?? [];
  if (v6 !== undefined) return parsePrefix(v6 + v6Length);
  const [address = "", mask] = client.split("/");
  if (mask === undefined) return parsePrefix(address);
  for (let length = 0; length <= 32; length++)
    if (maskOf(length) === mask) return parsePrefix(`${address}/${length}`);
  return null;
}
