import type { WriteTask, Written } from "../engines/write-lines.ts";
import { bundledEngine } from "./engine-bundle.ts";
import { verify, WrongResult } from "./outcome.ts";
import { runProgram } from "./program.ts";

/** Runs the writer to its end and checks that it kept the rate. */
export async function writeLines(task: WriteTask): Promise<Written> {
  const cost = await runProgram([...(await bundledEngine("write-lines")), JSON.stringify(task)]);
  if (cost.status !== 0) throw new WrongResult(`the writer of lines has failed: ${cost.stderr.slice(-1000)}`);
  const written = JSON.parse(cost.stdout.trim()) as Written;
  const rate = written.lines / written.seconds;
  if (rate < 0.97 * task.linesPerSecond) {
    throw new WrongResult(
      `the writer managed ${Math.round(rate)} lines/s instead of ${task.linesPerSecond}: this machine is too busy`,
    );
  }
  verify(
    "the writer of lines",
    "addresses",
    new Set(written.decisive.map(([address]) => address)).size,
    written.decisive.length,
  );
  return written;
}
