import { type Address, formatAddress, isV4 } from "../core/address.ts";
import { type Ban, UNBANNED_BY, type UnbannedBy } from "../core/ban.ts";
import { isHost, parsePrefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";

/** How a ban ended. */
export interface BanEnd {
  readonly by: UnbannedBy;
  /** When it was written. */
  readonly at: Instant;
}

/**
 * Writes records into a buffer that is reused. Consecutive bans that differ only in their address share a line: in a flood most do, and one
 * takes 15 bytes instead of 140.
 *
 *      {"bans":["192.0.2.1","192.0.2.7"],"target":"default","jail":"sshd","reason":"…","since":1,"until":null,"origin":"local"}
 *      {"lifts":["192.0.2.7"],"target":"default","by":"operator","at":1}
 *
 * `until` is null for a permanent ban.
 */
export class RecordWriter {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  /** Addresses in the unfinished line; 0 without one. */
  #inLine = 0;
  #kind: "bans" | "lifts" = "bans";
  /** What the addresses of the unfinished line have in common. */
  readonly #common = { target: "", jail: "", reason: "", origin: "", since: 0, until: 0, by: "", at: 0 };

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  ban(ban: Ban): void {
    if (this.#kind !== "bans" || !this.#isCommon(ban) || this.#inLine >= MOST_IN_LINE) {
      this.#endLine();
      this.#kind = "bans";
      this.#common.jail = ban.jail;
      this.#common.reason = ban.reason;
      this.#common.origin = ban.origin;
      this.#common.since = ban.since;
      this.#common.until = ban.until;
      this.#common.target = ban.target;
    }
    this.#add(ban);
  }

  unban(ban: Ban, { by, at }: BanEnd): void {
    const common = this.#common;
    const isCommon = common.target === ban.target && common.by === by && common.at === at;
    if (this.#kind !== "lifts" || !isCommon || this.#inLine >= MOST_IN_LINE) {
      this.#endLine();
      this.#kind = "lifts";
      common.target = ban.target;
      common.by = by;
      common.at = at;
    }
    this.#add(ban);
  }

  /** Ends the last line and returns the lines, valid until the next call of any method. Starts again with an empty buffer. */
  take(): Uint8Array {
    this.#endLine();
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #isCommon({ target, jail, reason, origin, since, until }: Ban): boolean {
    const common = this.#common;
    return (
      since === common.since &&
      until === common.until &&
      reason === common.reason &&
      jail === common.jail &&
      target === common.target &&
      origin === common.origin
    );
  }

  #add({ prefix }: Ban): void {
    this.#makeRoom(MOST_BYTES);
    this.#text(this.#inLine++ === 0 ? `{"${this.#kind}":["` : ',"');
    this.#address(prefix.address);
    this.#text(isHost(prefix) ? '"' : `/${prefix.length}"`);
  }

  #endLine(): void {
    if (this.#inLine === 0) return;
    const { target, jail, reason, origin, since, until, by, at } = this.#common;
    const names = `"target":${JSON.stringify(target)},"jail":${JSON.stringify(jail)},"reason":${JSON.stringify(reason)}`;
    const times = `"since":${since},"until":${until === FOREVER ? "null" : until}`;
    const end =
      this.#kind === "bans"
        ? `],${names},${times},"origin":${JSON.stringify(origin)}}\n`
        : `],"target":${JSON.stringify(target)},"by":${JSON.stringify(by)},"at":${at}}\n`;
    this.#makeRoom(Buffer.byteLength(end));
    this.#length += this.#bytes.write(end, this.#length);
    this.#inLine = 0;
  }

  #address(a: Address): void {
    if (!isV4(a)) return this.#text(formatAddress(a));
    this.#octet(a.w3 >>> 24);
    this.#bytes[this.#length++] = DOT;
    this.#octet((a.w3 >>> 16) & 255);
    this.#bytes[this.#length++] = DOT;
    this.#octet((a.w3 >>> 8) & 255);
    this.#bytes[this.#length++] = DOT;
    this.#octet(a.w3 & 255);
  }

  #octet(n: number): void {
    if (n >= 100) this.#bytes[this.#length++] = ZERO + ((n / 100) | 0);
    if (n >= 10) this.#bytes[this.#length++] = ZERO + (((n / 10) | 0) % 10);
    this.#bytes[this.#length++] = ZERO + (n % 10);
  }

  /** ASCII; the caller has made room. */
  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const more = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + bytes));
    this.#bytes.copy(more, 0, 0, this.#length);
    this.#bytes = more;
  }
}

const FIRST_BYTES = 4096;
/** Bytes of an address with its prefix length and quotes, and of the start of a line. */
const MOST_BYTES = 64;
/** Bans in one line: a crash of the machine loses at most one line. */
const MOST_IN_LINE = 500;
const DOT = 46;
const ZERO = 48;

/** Called with each record; `end` only for an unban, whose ban has nothing but a prefix and a target. Null from an earlier version. */
export type SeeRecord = (kind: "ban" | "unban", ban: Ban, end: BanEnd | null) => void;

/**
 * Calls `see` with each ban of a line; returns false for a line that is damaged or not a record. Earlier versions wrote one ban a line,
 * `{"ban":"192.0.2.1", … }`.
 */
export function readRecord(line: string, see: SeeRecord): boolean {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return false;
  }
  if (typeof record !== "object" || record === null) return false;
  const { bans, ban, target, jail, reason, since, until, origin, by, at } = record;
  const kind = bans !== undefined || ban !== undefined ? "ban" : "unban";
  const texts: unknown = bans ?? record["lifts"] ?? [ban ?? record["lift"]];
  if (!Array.isArray(texts) || typeof target !== "string") return false;
  const prefixes = texts.map((text: unknown) => (typeof text === "string" ? parsePrefix(text) : null));
  const string = (value: unknown): string => (typeof value === "string" ? value : "");
  const common = {
    target,
    jail: string(jail),
    reason: string(reason),
    since: typeof since === "number" ? since : 0,
    until: typeof until === "number" ? until : FOREVER,
    origin: string(origin),
  };
  const end = kind === "unban" && isWay(by) && typeof at === "number" ? { by, at } : null;
  for (const prefix of prefixes) if (prefix !== null) see(kind, { prefix, ...common }, end);
  return !prefixes.includes(null);
}

function isWay(by: unknown): by is UnbannedBy {
  return typeof by === "string" && Object.hasOwn(UNBANNED_BY, by);
}
