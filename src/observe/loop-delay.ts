import { monitorEventLoopDelay } from "node:perf_hooks";
import { declareMetrics, derivedGauge } from "../core/metrics.ts";

/** How late timers fired recently, in ms: the longest that an answer on the control socket waits. */
export interface LoopFigures {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * Measures the event loop's delay over the last ten to twenty seconds. It costs a hundred wake-ups a second (0.3 % of a core, more on
 * a small machine), so it runs only while much input arrives.
 */
export class LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  #before: LoopFigures = NONE;
  #ticks = 0;
  #running = false;

  /** Called once a second; `busy` says whether much input arrived since. */
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

  /** Starts a new window: the pause would count as one long delay. */
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
/** Sampling interval in ms. */
const RESOLUTION = 10;
/** In ticks. */
const WINDOW = 10;

/** The histogram holds times between two samples, in ns. */
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
