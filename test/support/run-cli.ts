import { Readable, Writable } from "node:stream";
import { runCli } from "../../src/cli/program.ts";

/** What a command printed, and its exit status. */
export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly isTTY?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Buffer;
  readonly stdout?: Writable;
}

/** Runs a command line in this process, with streams of its own. */
export async function run(line: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const status = await runCli(line, {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: options.stdout ?? collect(out),
    stderr: collect(err),
    env: { ...options.env },
    isTTY: options.isTTY ?? false,
  });
  return { status, out: out.join(""), err: err.join("") };
}

function collect(parts: string[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      parts.push(chunk.toString());
      done();
    },
  });
}
