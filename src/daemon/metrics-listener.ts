import type { Trouble } from "../core/trouble.ts";
import { factOf } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import type { MetricsAddress, MetricsListener as Listener } from "../metrics/listener.ts";
import type { Log } from "../observe/log.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";

export interface MetricsListenerDeps {
  readonly log: Log;
  /** As `log.warn`, but rate-limited. */
  readonly warn: (sentence: string) => void;
  /** The status document that the metrics are written from. */
  readonly status: () => object | null;
}

/** The listener for metrics on loopback. A port that is taken is a warning: nothing else depends on it. */
export class MetricsListener implements Feature {
  readonly name = "the metrics listener";
  readonly #deps: MetricsListenerDeps;
  #listener: Listener | null = null;
  #address: MetricsAddress | null = null;

  constructor(deps: MetricsListenerDeps) {
    this.#deps = deps;
  }

  async follow({ config: { metrics } }: Settings): Promise<void> {
    if (JSON.stringify(metrics) === JSON.stringify(this.#address)) return;
    await this.close();
    if (metrics === null) return;
    const { MetricsListener: Listener } = await import("../metrics/listener.ts");
    this.#address = metrics;
    this.#listener = new Listener(metrics, () => this.#deps.status() ?? {});
    await this.#listener.open();
    this.#report();
  }

  tick(now: Instant): void {
    const listener = this.#listener;
    if (listener === null || listener.trouble === null) return;
    listener.tick(now).then(
      () => {
        if (listener.trouble === null) this.#report();
      },
      (thrown: unknown) => this.#deps.warn(factOf(thrown)),
    );
  }

  status(): StatusFragment {
    return { metrics: this.#listener?.stats ?? null };
  }

  troubles(): readonly Trouble[] {
    const sentence = this.#listener?.trouble ?? null;
    return sentence === null ? [] : [{ of: "the metrics listener", sentence }];
  }

  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = null;
    this.#address = null;
    await listener?.close();
  }

  #report(): void {
    const { trouble = null, stats } = this.#listener ?? {};
    if (trouble === null) this.#deps.log.info(`Metrics are at http://${stats?.address ?? ""}/metrics`);
  }
}
