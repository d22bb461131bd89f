import { spawn } from "node:child_process";
import { cannot, StoplogError } from "../../core/errors.ts";

/** Runs `nft` once. Arguments are a list, no shell is between; the script goes to its standard input. */
export interface NftProgram {
  /** Null when it holds, else the first fact that nft says. */
  run(script: string): Promise<string | null>;
  /** What `nft -j ARGS` prints, as parsed JSON; null when nft fails, as for a table that is not there. */
  read(args: readonly string[]): Promise<unknown>;
}

export function nftProgram(path = "nft"): NftProgram {
  return {
    async run(script) {
      const { status, stderr } = await execute(path, ["-f", "-"], script);
      return status === 0 ? null : firstFact(stderr);
    },
    async read(args) {
      const { status, stdout } = await execute(path, ["-j", ...args], "");
      if (status !== 0) return null;
      try {
        return JSON.parse(stdout) as unknown;
      } catch (thrown) {
        throw cannot("read what nft prints", thrown);
      }
    },
  };
}

/** nft says 'Error: Could not process rule: FACT' or '/dev/stdin:1:5-9: Error: FACT', then shows the place. */
export function firstFact(stderr: string): string {
  const line = stderr.split("\n").find((text) => text.includes("Error: ") || text.trim() !== "") ?? "";
  const fact = line.replace(/^.*Error: /, "").replace(/^Could not process rule: /, "");
  return fact === "" ? "nft failed and did not say why" : fact.slice(0, 300);
}

/** More than this is not read from nft: some 100,000 elements as JSON. */
const MOST_OUTPUT = 32 * 1024 * 1024;

interface Executed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(path: string, args: readonly string[], input: string): Promise<Executed> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    let printed = 0;
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.length;
      if (printed <= MOST_OUTPUT) stdout.push(chunk);
      else child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < 4096) stderr += text;
    });
    child.on("error", (error) => reject(cannot("run nft", error)));
    // An nft that ends early leaves the rest of the script unread: its exit status says more than EPIPE does.
    child.stdin.on("error", () => {});
    child.on("close", (status) => {
      if (printed > MOST_OUTPUT) {
        reject(new StoplogError("Cannot list the bans in the kernel: nft printed more than 32 MiB"));
      } else resolve({ status: status ?? -1, stdout: Buffer.concat(stdout).toString("utf8"), stderr });
    });
    child.stdin.end(input);
  });
}
