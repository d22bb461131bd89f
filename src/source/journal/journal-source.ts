import type { LineSink } from "../../core/batch.ts";
import { StoplogError } from "../../core/errors.ts";
import { runProgram } from "../../core/run-program.ts";
import { inStretches } from "../stretch.ts";
import { DEFAULT_MAX_LINE } from "../line-splitter.ts";
import { newSourceStats, type Source, type SourcePosition } from "../source.ts";
import { entryLine } from "./entry-line.ts";
import { ExportReader, type JournalEntry } from "./export-format.ts";
import type { JournalOptions } from "./kind.ts";
import { JOURNAL_FIELDS, LinePieces } from "./line-pieces.ts";

/** Reads entries of systemd's journal as lines, through journalctl, from the last position on. */
export class JournalSource implements Source {
  readonly kind = "journal";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #options: JournalOptions;
  readonly #maxLine: number;
  readonly #pieces: LinePieces;
  /** Cursor of the last entry that was delivered, or taken as a piece of a line. */
  #cursor: string | null;
  /** What journalctl says it cannot show. */
  #hidden: string | null = null;

  /** Throws a StoplogError for a match that journalctl would read as an option or a path. */
  constructor(name: string, options: JournalOptions, position: SourcePosition | null = null) {
    const wrong = options.matches?.find((match) => !/^[A-Z0-9_]+=/.test(match));
    if (wrong !== undefined) throw new StoplogError(`Cannot match ${wrong} in the journal: not FIELD=value`);
    this.name = name;
    this.#options = options;
    this.#maxLine = options.maxLine ?? DEFAULT_MAX_LINE;
    const unfinished: unknown = position?.["unfinished"];
    const keys = Array.isArray(unfinished) ? unfinished.filter((key) => typeof key === "string") : [];
    this.#pieces = new LinePieces(this.stats, this.#maxLine, keys);
    this.#cursor = typeof position?.["cursor"] === "string" ? position["cursor"] : null;
  }

  async run(sink: LineSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const started = this.#cursor;
    const backlogEnd = started === null ? 0 : Date.now() * 1000;
    const entries: JournalEntry[] = [];
    const reader = new ExportReader(FIELDS, this.#maxLine, (entry) => entries.push(entry));
    const onData = (chunk: Buffer): void => {
      reader.push(chunk);
      this.stats.shedBytes += reader.shedBytes;
      reader.shedBytes = 0;
      this.#deliver(entries.splice(0), sink, backlogEnd);
    };
    const ended = await runProgram(["journalctl", ...journalctlArguments(this.#options, started)], {
      onStart: () => {
        this.stats.state = "follows the journal";
        this.#hidden = null;
      },
      // journalctl continues after messages such as 'No journal files were found', or that entries of other users are hidden.
      onStderr: (last) => {
        this.stats.state = `follows the journal; journalctl says: ${last}`;
        if (HIDDEN.test(last)) this.#hidden = last;
      },
      onStdout: (stream) => inStretches(stream, onData),
      stopsLeftovers: true,
      signal,
    });
    this.stats.state = "stopped";
    if (ended.how === "aborted") return;
    if (this.#cursor === started && /cursor/i.test(ended.stderr)) this.#cursor = null; // journalctl will never accept it: start with new entries
    throw new StoplogError(`Cannot read the journal: ${ended.fact ?? "journalctl exited with 0"}`);
  }

  trouble(): string | null {
    return this.#hidden === null ? null : `journalctl says: ${this.#hidden}`;
  }

  position(): SourcePosition | null {
    if (this.#cursor === null) return null;
    const { unfinished } = this.#pieces;
    return unfinished.length === 0 ? { cursor: this.#cursor } : { cursor: this.#cursor, unfinished };
  }

  #deliver(entries: readonly JournalEntry[], sink: LineSink, backlogEnd: number): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    if (this.#hidden !== null && NO_FILES.test(this.#hidden)) this.#hidden = null;
    const lines = entries.flatMap((entry) => this.#pieces.join(entry) ?? []);
    const text = lines.map((entry) => `${this.#cut(entryLine(entry))}\n`).join("");
    this.#cursor = last.get("__CURSOR") ?? this.#cursor;
    if (text === "") return;
    const bytes = Buffer.from(text, "latin1");
    const backlog = Number(last.get("__REALTIME_TIMESTAMP")) < backlogEnd;
    this.stats.bytes += bytes.length;
    this.stats.batches++;
    sink({ bytes, start: 0, end: bytes.length, backlog });
  }

  #cut(line: string): string {
    if (line.length <= this.#maxLine) return line;
    this.stats.cut++;
    this.stats.shedBytes += line.length - this.#maxLine;
    return line.slice(0, this.#maxLine);
  }
}

const NO_FILES = /no journal files/i;
/** Messages of journalctl that mean that entries are missing. */
const HIDDEN = /no journal files|not seeing messages|permission/i;

/** Arguments of journalctl. With a cursor it prints all entries after it, without one only new entries. */
export function journalctlArguments(options: JournalOptions, cursor: string | null): string[] {
  return [
    "--follow",
    "--output=export",
    `--output-fields=${JOURNAL_FIELDS.join(",")}`,
    ...(cursor === null ? ["--lines=0"] : ["--no-tail", `--after-cursor=${cursor}`]),
    ...(options.directory === undefined ? [] : [`--directory=${options.directory}`]),
    ...(options.units ?? []).map((unit) => `--unit=${unit}`),
    ...(options.identifiers ?? []).map((identifier) => `--identifier=${identifier}`),
    ...(options.matches ?? []),
  ];
}

const FIELDS: ReadonlySet<string> = new Set([...JOURNAL_FIELDS, "__CURSOR", "__REALTIME_TIMESTAMP"]);
