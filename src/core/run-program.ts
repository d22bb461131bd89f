import { type ChildProcess, spawn } from "node:child_process";
import { Readable, type Writable } from "node:stream";
import { formatDuration } from "./duration.ts";
import { factOf } from "./errors.ts";
import { excerptOfBytes } from "./printable.ts";
import { type Duration, SECOND } from "./time.ts";

/** A program and its arguments. There is no shell in between. */
export type Argv = readonly string[];

export interface RunOptions {
  /** For its standard input. Without it, or with "", that is empty. */
  readonly input?: string | Iterable<string> | AsyncIterable<string>;
  /** Bytes of its output that are kept; a program that prints more is stopped. Without it, and without `onStdout`, output is discarded. */
  readonly mostOutput?: number;
  /** Takes its output piece by piece instead. Called with the stream once, so that the consumer can pause it. */
  readonly onStdout?: (stream: Readable) => (chunk: Buffer) => void;
  /** The last line of its standard error so far, printable. */
  readonly onStderr?: (last: string) => void;
  /** It runs. */
  readonly onStart?: () => void;
  /** The program is stopped after this. */
  readonly timeout?: Duration;
  /** The program is stopped when this aborts. */
  readonly signal?: AbortSignal;
  /** Stops what the program leaves running when it ends. */
  readonly stopsLeftovers?: boolean;
}

export interface ProgramEnd {
  /** Null if it exited with 0, else why not, as a phrase: 'sh exited with 3: last line of its standard error'. */
  readonly fact: string | null;
  readonly how: "exited" | "killed" | "not started" | "timed out" | "printed too much" | "aborted";
  /** Null unless it exited. */
  readonly status: number | null;
  readonly stdout: Buffer;
  /** The beginning of its standard error, as it stands: not printable. */
  readonly stderr: string;
}

/**
 * Runs a program to its end, in a process group of its own. To stop it, the whole group gets SIGTERM, and SIGKILL two seconds later. Never
 * rejects.
 */
export function runProgram(argv: Argv, options: RunOptions = {}): Promise<ProgramEnd> {
  try {
    return new Run(argv, options).ended;
  } catch (thrown) {
    // Arguments that no program can be given, such as a zero byte.
    const nothing = { status: null, stdout: Buffer.alloc(0), stderr: "" };
    return Promise.resolve({ how: "not started", fact: factOf(thrown), ...nothing });
  }
}

class Run {
  readonly ended: Promise<ProgramEnd>;
  readonly #program: string;
  readonly #options: RunOptions;
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #complaint: Complaint;
  /** Why it was stopped; null while it was not. */
  #stopped: "timed out" | "printed too much" | "aborted" | null = null;
  #settle: (end: ProgramEnd) => void = () => undefined;
  #limit: NodeJS.Timeout | undefined;
  #killer: NodeJS.Timeout | undefined;
  readonly #abort = (): void => this.#stop("aborted");

  constructor([program = "", ...args]: Argv, options: RunOptions) {
    const { input = "", mostOutput, onStdout, onStderr, timeout, signal } = options;
    this.#program = program;
    this.#options = options;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
    this.#complaint = new Complaint(onStderr);
    const isRead = mostOutput !== undefined || onStdout !== undefined;
    this.#child = spawn(program, args, {
      detached: true,
      stdio: [input === "" ? "ignore" : "pipe", isRead ? "pipe" : "ignore", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdout !== null) stdout.on("data", onStdout?.(stdout) ?? this.#collector(mostOutput ?? 0));
    stderr?.on("data", (chunk: Buffer) => this.#complaint.push(chunk));
    if (stdin !== null) write(stdin, input);
    if (timeout !== undefined) this.#limit = setTimeout(() => this.#stop("timed out"), timeout);
    this.#child.on("spawn", () => options.onStart?.());
    this.#child.on("error", (thrown) => this.#failed(thrown));
    // 'exit', not 'close': what it started may hold its pipes open.
    this.#child.on("exit", (status, killedBy) => this.#exited(status, killedBy));
    if (signal?.aborted === true) this.#abort();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  #collector(most: number): (chunk: Buffer) => void {
    let left = most;
    return (chunk) => {
      left -= chunk.length;
      if (left >= 0) this.#stdout.push(chunk);
      else this.#stop("printed too much");
    };
  }

  #stop(why: "timed out" | "printed too much" | "aborted"): void {
    if (this.#stopped !== null) return;
    this.#stopped = why;
    signalGroup(this.#child, "SIGTERM");
    this.#killer = setTimeout(() => signalGroup(this.#child, "SIGKILL"), KILL_AFTER);
  }

  #failed(thrown: NodeJS.ErrnoException): void {
    if (this.#child.pid !== undefined) return; // a signal that came too late
    const fact = thrown.code === "ENOENT" ? `there is no program ${this.#program}` : factOf(thrown);
    this.#end({ how: "not started", fact, status: null });
  }

  #exited(status: number | null, killedBy: string | null): void {
    const { signal, stopsLeftovers, timeout = 0, mostOutput = 0 } = this.#options;
    if (stopsLeftovers === true || this.#stopped !== null) signalGroup(this.#child, "SIGTERM");
    const { stdout, stderr } = this.#child;
    const settle = (): void => {
      stdout?.destroy();
      stderr?.destroy();
      this.#complaint.flush();
      switch (this.#stopped) {
        case "timed out":
          return this.#end({
            how: this.#stopped,
            fact: this.#say(`took longer than ${formatDuration(timeout)}`),
            status: null,
          });
        case "printed too much":
          return this.#end({
            how: this.#stopped,
            fact: this.#say(`printed more than ${mostOutput} bytes`),
            status: null,
          });
        case "aborted":
          return this.#end({ how: this.#stopped, fact: this.#say("was stopped"), status: null });
        case null: {
          if (status === 0) return this.#end({ how: "exited", fact: null, status });
          const { last } = this.#complaint;
          const how = status === null ? `was killed by ${killedBy}` : `exited with ${status}`;
          const fact = this.#say(last === "" ? how : `${how}: ${last}`);
          this.#end({ how: status === null ? "killed" : "exited", fact, status });
        }
      }
    };
    if (this.#stopped !== null || signal?.aborted === true) settle();
    else afterEnd(stdout, OUTPUT_WITHIN, () => afterEnd(stderr, COMPLAINT_WITHIN, settle));
  }

  #say(what: string): string {
    return `${this.#program} ${what}`;
  }

  #end(end: Pick<ProgramEnd, "how" | "fact" | "status">): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#killer);
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#settle({ ...end, stdout: Buffer.concat(this.#stdout), stderr: this.#complaint.head });
  }
}

const KILL_AFTER: Duration = 2 * SECOND;
/** After its end, what is left in its pipes belongs to it; a process that it left running may keep them open. */
const OUTPUT_WITHIN: Duration = SECOND;
const COMPLAINT_WITHIN: Duration = 100;

/** Standard error: its beginning, and its last line. */
class Complaint {
  head = "";
  /** Printable, without a full stop. */
  last = "";
  readonly #told: ((last: string) => void) | undefined;
  #tail: Buffer = Buffer.alloc(0);

  constructor(told: ((last: string) => void) | undefined) {
    this.#told = told;
  }

  push(chunk: Buffer): void {
    if (this.head.length < MOST_HEAD) this.head += chunk.toString("utf8");
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-MOST_TAIL)]).subarray(-MOST_TAIL);
    if (this.#told === undefined) return;
    this.flush();
    this.#told(this.last);
  }

  flush(): void {
    const text = this.#tail.toString("latin1").trimEnd();
    const line = Buffer.from(text.slice(text.lastIndexOf("\n") + 1), "latin1");
    this.last = excerptOfBytes(line, MOST_LAST).trim().replace(/\.$/, "");
  }
}

const MOST_HEAD = 4096;
const MOST_TAIL = 1024;
const MOST_LAST = 300;

/** A program that ends early leaves its input unread: its status says more than EPIPE does. */
function write(stdin: Writable, input: NonNullable<RunOptions["input"]>): void {
  stdin.on("error", () => undefined);
  if (typeof input === "string") stdin.end(input);
  else Readable.from(input).pipe(stdin);
}

function afterEnd(stream: Readable | null, patience: Duration, then: () => void): void {
  if (stream === null || !stream.readable) return then();
  const once = (): void => {
    clearTimeout(timer);
    stream.removeListener("close", once);
    stream.removeListener("end", once);
    then();
  };
  const timer = setTimeout(once, patience);
  stream.on("close", once);
  stream.on("end", once);
}

function signalGroup({ pid }: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}
