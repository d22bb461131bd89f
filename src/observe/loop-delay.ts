import { monitorEventLoopDelay } from "node:perf_hooks";
import { declareMetrics, derivedGauge } from "../core/metrics.ts";

/** How much later than asked for timers fired lately: what an answer on the control socket waits at most. In ms. */
export interface LoopFigures {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Measures the event loop's delay over the last ten to twenty seconds. It costs a hundred wake-ups a second (0.3 % of a core,
 * more on a small machine), so it measures only while much input comes: else there is nothing to delay.
 */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  #before: LoopFigures = NONE;
  #ticks = 0;
  #running = false;

  /** To be called once a second. `busy` says whether much input came since. */
  tick(busy: boolean): void {
    if (busy !== this.#running) this.#run(busy);
    if (++this.#ticks % WINDOW === 0) this.#turn();
  }

  get figures(): LoopFigures {
    const now = this.#current();
    return {
      p99Ms: Math.max(now.p99Ms, this.#before.p99Ms),
      maxMs: Math.max(now.maxMs, this.#before.maxMs),
    };
  }

  close(): void {
    this.#histogram.disable();
  }

  /** A new window, since what lies between would count as one long delay. */
  #run(busy: boolean): void {
    this.#running = busy;
    if (busy) {
      this.#turn();
      this.#histogram.enable();
    } else this.#histogram.disable();
  }

  #turn(): void {
    this.#before = this.#current();
    this.#histogram.reset();
  }

  #current(): LoopFigures {
    if (this.#histogram.count === 0) return NONE;
    return { p99Ms: lateness(this.#histogram.percentile(99)), maxMs: lateness(this.#histogram.max) };
  }
}

const NONE: LoopFigures = { p99Ms: 0, maxMs: 0 };
/** In ms: how often it looks. What is shorter is seen in part. */
const RESOLUTION = 10;
/** In ticks. */
const WINDOW = 10;

/** The histogram holds times between two looks, in ns. */
function lateness(nanoseconds: number): number {
  return Math.max(0, Math.round((nanoseconds / 1e6 - RESOLUTION) * 10) / 10);
}

declareMetrics(
  { at: "loop" },
  {
    p99Ms: derivedGauge(
      "stoplog_event_loop_delay_p99_seconds",
      "How late timers fired in the last 10 to 20 s with much input, 99th percentile.",
      ({ p99Ms }) => Number(p99Ms) / 1000,
    ),
    maxMs: derivedGauge(
      "stoplog_event_loop_delay_max_seconds",
      "How late timers fired at most in the last 10 to 20 s with much input.",
      ({ maxMs }) => Number(maxMs) / 1000,
    ),
  },
);
