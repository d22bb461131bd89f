import type { Address } from "../core/address.ts";
import { BoundedMap } from "../core/bounded-map.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";

export interface EvidenceOptions {
  /** Maximum number of lines in the ring, for all addresses. */
  readonly lines: number;
  /** Maximum number of bans whose lines are kept. */
  readonly bans: number;
}

/**
 * The lines behind a count, for `why`. One ring holds the latest matched lines of all addresses, chained by address, so that a
 * ban finds its lines quickly. At the ban they are copied to a separate list, where a flood does not overwrite them as soon.
 *
 *      ring      [ l17 | l18 | l19 | … ]       chain of one address: l19 ─► l12 ─► l3
 *      text      [ …l16l17l18l19…      ]       end to end; the oldest line is removed when its bytes are needed
 *      kept      192.0.2.1 ─► [l3 l12 l19]
 */
export class Evidence {
  readonly #keys: Int32Array;
  readonly #text: Buffer;
  /** Offset and length of each line's text. */
  readonly #starts: Uint32Array;
  readonly #lengths: Uint16Array;
  /** For each entry, the number of the previous one in its chain. For each bucket, the number of its newest entry. */
  readonly #before: Float64Array;
  readonly #newest: Float64Array;
  readonly #size: number;
  readonly #kept: BoundedMap<string, readonly string[]>;
  /** Numbers of the next entry, counted from 1, and of the oldest entry in the ring. */
  #next = 1;
  #first = 1;
  /** Offset of the next text. */
  #end = 0;
  #skipped = 0;

  constructor({ lines, bans }: EvidenceOptions) {
    this.#size = lines;
    this.#kept = new BoundedMap(bans);
    this.#keys = new Int32Array(lines * 4);
    this.#text = Buffer.alloc(Math.max(lines * USUAL_BYTES, TEXT_BYTES));
    this.#starts = new Uint32Array(lines);
    this.#lengths = new Uint16Array(lines);
    this.#before = new Float64Array(lines);
    this.#newest = new Float64Array(lines);
  }

  /** Lines in the ring. */
  get lines(): number {
    return this.#next - this.#first;
  }

  /** Lines that were overwritten in the ring, or never stored. */
  get forgotten(): number {
    return this.#first - 1 + this.#skipped;
  }

  /** Bans whose lines were evicted by newer bans. */
  get forgottenBans(): number {
    return this.#kept.evicted;
  }

  /** Stores a line about the network that starts at `a`, truncated to 256 bytes. */
  remember(a: Address, line: string): void {
    const seq = this.#next;
    const i = seq % this.#size;
    const k = i << 2;
    this.#keys[k] = a.w0;
    this.#keys[k + 1] = a.w1;
    this.#keys[k + 2] = a.w2;
    this.#keys[k + 3] = a.w3;
    const length = Math.min(line.length, TEXT_BYTES);
    const start = this.#makeRoom(length);
    this.#starts[i] = start;
    this.#lengths[i] = this.#text.write(line, start, length, "latin1");
    this.#end = start + length;
    const bucket = bucketOf(a, this.#size);
    this.#before[i] = this.#newest[bucket] as number;
    this.#newest[bucket] = seq;
    this.#next++;
  }

  /** Removes the oldest lines as far as the next one needs their entries or bytes; returns the offset for its text. */
  #makeRoom(length: number): number {
    if (this.lines === this.#size) this.#first++;
    const wraps = this.#end + length > this.#text.length;
    if (wraps) while (this.lines > 0 && this.#startOf(this.#first) >= this.#end) this.#first++;
    const start = wraps ? 0 : this.#end;
    const isOver = (at: number): boolean => at >= start && at < start + length;
    while (this.lines > 0 && isOver(this.#startOf(this.#first))) this.#first++;
    return start;
  }

  #startOf(seq: number): number {
    return this.#starts[seq % this.#size] as number;
  }

  /** Counts a line that is not stored, because too many arrive. */
  pass(): void {
    this.#skipped++;
  }

  /** Copies the last `count` lines of a network to the list of bans. */
  keep(prefix: Prefix, count: number): void {
    this.#kept.set(formatPrefix(prefix), this.#latest(prefix.address, count));
  }

  /** Lines about a network, oldest first: the lines kept at its ban, or else the latest in the ring. */
  of(prefix: Prefix): readonly string[] {
    return this.#kept.get(formatPrefix(prefix)) ?? this.#latest(prefix.address, MOST_LINES);
  }

  #latest(a: Address, count: number): string[] {
    const lines: string[] = [];
    let seq = this.#newest[bucketOf(a, this.#size)] as number;
    for (let steps = 0; steps < MOST_STEPS && lines.length < Math.min(count, MOST_LINES); steps++) {
      if (seq < this.#first) break;
      const i = seq % this.#size;
      if (this.#isAbout(i, a)) {
        const start = this.#startOf(seq);
        lines.push(this.#text.toString("latin1", start, start + (this.#lengths[i] as number)));
      }
      seq = this.#before[i] as number;
    }
    return lines.reverse();
  }

  #isAbout(i: number, a: Address): boolean {
    const k = i << 2;
    const keys = this.#keys;
    return keys[k + 3] === a.w3 && keys[k + 2] === a.w2 && keys[k + 1] === a.w1 && keys[k] === a.w0;
  }
}

/** Maximum text of one line: long enough to show what happened, and only 256 KiB for a thousand lines. */
const TEXT_BYTES = 256;
/** The text buffer has room for all entries at this length, and for fewer longer lines. */
const USUAL_BYTES = 128;
const MOST_LINES = 20;
/** Bounds a search: an attacker controls the length of the chains. */
const MOST_STEPS = 200;

function bucketOf(a: Address, buckets: number): number {
  const mixed = Math.imul(a.w3 ^ Math.imul(a.w2 ^ a.w1 ^ a.w0, 0x85ebca6b), 0x9e3779b1);
  return ((mixed ^ (mixed >>> 15)) >>> 0) % buckets;
}

declareMetrics(
  { at: "evidence" },
  {
    lines: gauge("stoplog_evidence_lines", "Matched lines kept for `stoplog why`."),
    forgotten: counter(
      "stoplog_evidence_lines_forgotten_total",
      "Matched lines no longer kept, or never kept.",
    ),
    forgottenBans: counter("stoplog_evidence_bans_forgotten_total", "Bans whose lines are no longer kept."),
  },
);
