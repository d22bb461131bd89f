import type { LineBatch, LineSink } from "../core/batch.ts";

/** A sink that copies what it is given and checks that it keeps the contract. For tests and measurements. */
export class CollectedLines {
  /** One character a byte (latin1), without the LF. */
  readonly lines: string[] = [];
  /** Whether the batch of each line was backlog. */
  readonly backlog: boolean[] = [];
  batches = 0;
  bytes = 0;

  readonly sink: LineSink = (batch) => {
    if (!isWhole(batch)) throw new Error("a batch is not made of whole lines");
    const lines = batch.bytes.toString("latin1", batch.start, batch.end - 1).split("\n");
    for (const line of lines) {
      this.lines.push(line);
      this.backlog.push(batch.backlog);
    }
    this.batches++;
    this.bytes += batch.end - batch.start;
  };

  /** Waits until so many lines are there; rejects with what came instead. */
  async until(count: number, deadline = 8000): Promise<string[]> {
    await waitUntil(
      () => this.lines.length >= count,
      () => `${this.lines.length} of ${count} lines`,
      deadline,
    );
    return this.lines;
  }
}

/** Asks again and again until the condition holds; rejects after `deadline` ms. */
export async function waitUntil(
  condition: () => boolean,
  found: () => string = () => "no",
  deadline = 8000,
): Promise<void> {
  const end = performance.now() + deadline;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited in vain: ${found()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function isWhole({ bytes, start, end }: LineBatch): boolean {
  return start >= 0 && end > start && end <= bytes.length && bytes[end - 1] === 10;
}
