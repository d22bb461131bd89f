import { spawn } from "node:child_process";
import { factOf, StoplogError } from "../../core/errors.ts";
import { Stretch } from "../stretch.ts";

export interface Subprocess {
  readonly argv: readonly string[];
  /** 'read from journalctl': what fails when it does. */
  readonly what: string;
  /** Gets its standard output; done with the bytes when it returns. */
  readonly onData: (chunk: Buffer) => void;
  /** Gets the last line of its standard error so far. */
  readonly onStderr?: (last: string) => void;
  /** Called once it runs. */
  readonly onStart?: () => void;
}

/** A program that ended on its own. */
export interface Ended {
  /** 'it exited with 3: last line of its standard error'. */
  readonly fact: string;
  readonly stderr: string;
}

/**
 * Runs a program, without a shell and in a process group of its own, until it ends or the signal aborts (null). Then the
 * whole group gets SIGTERM, and SIGKILL two seconds later. Rejects with `Cannot ${what}: …` when it cannot be started.
 */
export function runSubprocess(subprocess: Subprocess, signal: AbortSignal): Promise<Ended | null> {
  const { argv, what, onData, onStderr, onStart } = subprocess;
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const stretch = new Stretch(child.stdout);
    const stderr = new LastLine();
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      killGroup(child.pid, "SIGTERM");
      killer = setTimeout(() => killGroup(child.pid, "SIGKILL"), KILL_AFTER);
    };
    const settle = (result: () => void): void => {
      clearTimeout(killer);
      stretch.end();
      signal.removeEventListener("abort", stop);
      result();
    };
    child.on("spawn", () => {
      onStart?.();
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    child.on("error", (thrown: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a signal that came too late
      const fact = thrown.code === "ENOENT" ? `there is no program ${program}` : factOf(thrown);
      settle(() => reject(new StoplogError(`Cannot ${what}: ${fact}`, { cause: thrown })));
    });
    child.stdout.on("data", (chunk: Buffer) => {
      if (!signal.aborted) stretch.work(() => onData(chunk));
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr.push(chunk);
      onStderr?.(stderr.text());
    });
    // 'exit', and not 'close': a grandchild may hold the pipes open for ever.
    child.on("exit", (code, signalName) => {
      killGroup(child.pid, "SIGTERM");
      const how = code === null ? `was killed by ${signalName}` : `exited with ${code}`;
      const ended = (): void => {
        child.stdout.destroy();
        child.stderr.destroy();
        const said = stderr.text();
        settle(() =>
          resolve(signal.aborted ? null : { fact: `it ${how}${said && `: ${said}`}`, stderr: said }),
        );
      };
      if (signal.aborted) ended();
      else afterOutput(child.stdout, ended);
    });
  });
}

/** After SIGTERM, in ms. */
const KILL_AFTER = 2000;
/** How long the last output of a program that has ended is waited for, in ms. */
const OUTPUT_WITHIN = 1000;

/** The output that is still in the pipe belongs to it. */
function afterOutput(stdout: NodeJS.ReadableStream, then: () => void): void {
  if (!stdout.readable) return then();
  const once = (): void => {
    clearTimeout(timer);
    stdout.removeListener("close", once);
    stdout.removeListener("end", once);
    then();
  };
  const timer = setTimeout(once, OUTPUT_WITHIN);
  stdout.on("close", once);
  stdout.on("end", once);
}

function killGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone: what was wanted.
  }
}

/** The last line of a text that comes in pieces, of at most 300 characters. */
class LastLine {
  #tail = "";

  push(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.subarray(-MAX_SAID * 2).toString("utf8")).slice(-MAX_SAID * 2);
  }

  text(): string {
    const last = this.#tail.trimEnd().split("\n").at(-1) ?? "";
    return last
      .replace(/[\x00-\x1f\x7f]+/g, " ")
      .trim()
      .replace(/\.$/, "")
      .slice(0, MAX_SAID);
  }
}

const MAX_SAID = 300;
