/** Counts values by size, as Prometheus' histograms do. Observing makes no object. */
export class Histogram {
  /** Upper bounds, ascending; a last bucket without one follows. */
  readonly bounds: readonly number[];
  /** Values in each bucket: not cumulative. */
  readonly counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  get sum(): number {
    return this.#sum;
  }

  observe(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    this.counts[bucket]!++;
    this.#sum += value;
  }

  /** Left out of `status --json`: only /metrics shows histograms. */
  toJSON(): undefined {
    return undefined;
  }
}
