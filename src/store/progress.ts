import { join } from "node:path";
import { formatAddress, parseAddress, type Address } from "../core/address.ts";
import { cannot } from "../core/errors.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import { replaceFile } from "../core/replace-file.ts";
import { type Counter, CounterColumns } from "./counter-columns.ts";
import { readLines } from "./read-lines.ts";

/**
 * Read positions and counters at one moment. They belong together: after a crash the lines behind the positions are read and counted again, on
 * top of exactly these counters.
 */
export interface Progress {
  readonly at: Instant;
  /** By source. */
  readonly positions: Readonly<Record<string, unknown>>;
  readonly counters: Readonly<Record<string, Iterable<Counter>>>;
  /** Earlier bans, by jail. */
  readonly offences: Readonly<Record<string, Iterable<SavedOffence>>>;
  /** When a good line last forgave an address, by jail. */
  readonly forgiven: Readonly<Record<string, Iterable<SavedForgiveness>>>;
  readonly trusted: Iterable<SavedTrust>;
}

export interface SavedForgiveness {
  readonly address: Address;
  readonly at: Instant;
}

export interface SavedOffence {
  readonly address: Address;
  readonly times: number;
  readonly until: Instant;
}

export interface SavedTrust {
  readonly prefix: Prefix;
  readonly until: Instant;
}

/** Progress as it is read back. */
export interface SavedProgress extends Omit<Progress, "counters"> {
  /** False when the first line, with the positions and the time of the counters, is missing or damaged. */
  readonly hasHead: boolean;
  readonly counters: Readonly<Record<string, CounterColumns>>;
  readonly offences: Readonly<Record<string, readonly SavedOffence[]>>;
  readonly forgiven: Readonly<Record<string, readonly SavedForgiveness[]>>;
  readonly trusted: readonly SavedTrust[];
}

/** Saves progress; a counter is one short line. Counters are read while the file is written and the daemon goes on: they must be a capture.
 * The new file takes its place once `ready` has resolved. */
export async function saveProgress(
  directory: string,
  progress: Progress,
  ready?: () => Promise<void>,
): Promise<void> {
  await replaceFile(join(directory, PROGRESS_FILE), linesOf(progress), ready === undefined ? {} : { ready });
}

/** The moment of the saved progress; null without one. */
export async function readProgressTime(directory: string): Promise<Instant | null> {
  try {
    for await (const [head = ""] of readLines(join(directory, PROGRESS_FILE)))
      return parseHead(head)?.at ?? 0;
  } catch {
    // `readProgress` reports it.
  }
  return null;
}

/** Reads progress back; null without a file. Skips damaged lines. `onLarge` as in `readLines`. */
export async function readProgress(directory: string, onLarge?: () => void): Promise<SavedProgress | null> {
  const reading = new Reading();
  try {
    for await (const lines of readLines(join(directory, PROGRESS_FILE), onLarge)) {
      for (const line of lines) reading.take(line);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cannot(`read ${PROGRESS_FILE} in ${directory}`, error);
  }
  return reading;
}

/** Collects progress line by line. */
class Reading implements SavedProgress {
  at: Instant = 0;
  positions: Readonly<Record<string, unknown>> = {};
  readonly counters: Record<string, CounterColumns> = {};
  readonly offences: Record<string, SavedOffence[]> = {};
  readonly forgiven: Record<string, SavedForgiveness[]> = {};
  readonly trusted: SavedTrust[] = [];
  #hasHead = false;
  #take: (line: string) => void = (line) => {
    const head = parseHead(line);
    this.#hasHead = head !== null;
    Object.assign(this, head);
    this.#take = () => undefined;
  };

  get hasHead(): boolean {
    return this.#hasHead;
  }

  take(line: string): void {
    if (line.startsWith("jail ")) {
      const columns = (this.counters[line.slice(5)] = new CounterColumns());
      this.#take = (l) => addTo(columns, parseCounter(l));
    } else if (line.startsWith("offences ")) {
      const list: SavedOffence[] = (this.offences[line.slice(9)] = []);
      this.#take = (l) => list.push(...parseOffence(l));
    } else if (line.startsWith("forgiven ")) {
      const list: SavedForgiveness[] = (this.forgiven[line.slice(9)] = []);
      this.#take = (l) => list.push(...parseForgiveness(l));
    } else if (line === "trusted") this.#take = (l) => this.trusted.push(...parseTrust(l));
    else if (line !== "") this.#take(line);
  }
}

export const PROGRESS_FILE = "progress";

function* linesOf(progress: Progress): Generator<string> {
  yield `${JSON.stringify({ version: 1, at: progress.at, positions: progress.positions })}\n`;
  for (const [jail, counters] of Object.entries(progress.counters)) {
    yield `jail ${jail}\n`;
    for (const { address, ages } of counters) yield `${formatAddress(address)} ${ages.join(",")}\n`;
  }
  for (const [jail, offences] of Object.entries(progress.offences)) {
    yield `offences ${jail}\n`;
    for (const { address, times, until } of offences)
      yield `${formatAddress(address)} ${times} ${Number.isFinite(until) ? until : "-"}\n`;
  }
  for (const [jail, forgiven] of Object.entries(progress.forgiven)) {
    yield `forgiven ${jail}\n`;
    for (const { address, at } of forgiven) yield `${formatAddress(address)} ${at}\n`;
  }
  yield "trusted\n";
  for (const { prefix, until } of progress.trusted)
    yield `${formatPrefix(prefix)} ${Number.isFinite(until) ? until : "-"}\n`;
}

/** Null for a damaged line. */
function parseHead(line: string): { at: Instant; positions: Record<string, unknown> } | null {
  try {
    const head = JSON.parse(line) as { at?: unknown; positions?: unknown };
    const positions = typeof head.positions === "object" && head.positions !== null ? head.positions : {};
    return { at: typeof head.at === "number" ? head.at : 0, positions: positions as Record<string, unknown> };
  } catch {
    return null;
  }
}

function addTo(columns: CounterColumns, counter: Counter | null): void {
  if (counter !== null) columns.add(counter);
}

/** Null for a damaged line. */
function parseCounter(line: string): Counter | null {
  const [text = "", ages = ""] = line.split(" ");
  const address = parseAddress(text);
  const numbers = ages.split(",").map(Number);
  return address !== null && numbers.every((age) => Number.isFinite(age)) ? { address, ages: numbers } : null;
}

/** Empty for a damaged line. */
function parseOffence(line: string): SavedOffence[] {
  const [text = "", times = "", until = ""] = line.split(" ");
  const address = parseAddress(text);
  const end = until === "-" ? FOREVER : Number(until);
  return address !== null && Number.isInteger(Number(times)) && !Number.isNaN(end)
    ? [{ address, times: Number(times), until: end }]
    : [];
}

/** Empty for a damaged line. */
function parseForgiveness(line: string): SavedForgiveness[] {
  const [text = "", time = ""] = line.split(" ");
  const address = parseAddress(text);
  const at = time === "" ? Number.NaN : Number(time);
  return address !== null && Number.isFinite(at) ? [{ address, at }] : [];
}

function parseTrust(line: string): SavedTrust[] {
  const [text = "", until = ""] = line.split(" ");
  const prefix = parsePrefix(text);
  const end = until === "-" ? FOREVER : Number(until);
  return prefix !== null && !Number.isNaN(end) ? [{ prefix, until: end }] : [];
}
