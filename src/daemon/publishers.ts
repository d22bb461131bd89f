import type { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { PublisherOptions, ZmqPublisher } from "../bus/publish/zmq-publisher.ts";
import type { Log } from "../observe/log.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";

export interface PublishersDeps {
  readonly book: Book;
  readonly log: Log;
  /** As `log.warn`, but rate-limited. */
  readonly warn: (sentence: string) => void;
  readonly clock: Clock;
}

/** Subscribers to bans. A reload keeps unchanged ones running. */
export class Publishers implements Feature {
  readonly name = "publishers";
  readonly #deps: PublishersDeps;
  readonly #running = new Map<string, ZmqPublisher>();

  constructor(deps: PublishersDeps) {
    this.#deps = deps;
  }

  async follow({ config }: Settings): Promise<void> {
    const desired = new Map(config.publishers.map((options) => [options.name, options]));
    for (const [name, publisher] of this.#running) {
      if (sameOptions(desired.get(name), publisher.options)) continue;
      this.#running.delete(name);
      await publisher.close();
    }
    const fromBus = originsOnBus(config);
    for (const [name, options] of desired) {
      const open = this.#running.get(name);
      const publisher = open ?? (await makePublisher(options, this.#deps));
      publisher.leaveOut(fromBus);
      if (open !== undefined) continue;
      this.#running.set(name, publisher);
      await publisher.open();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((publisher) => publisher.close()));
    this.#running.clear();
  }

  status(): StatusFragment {
    const publishers = [...this.#running].map(([name, publisher]) => ({
      name,
      kind: publisher.kind,
      state: publisher.state,
      ...publisher.stats,
      turnedAway: publisher.turnedAway,
    }));
    return { publishers };
  }

  warnings(): readonly string[] {
    return [...this.#running.values()].flatMap(({ trouble, options, stats }) => [
      ...(trouble === null ? [] : [trouble]),
      ...(stats.missed > 0
        ? [`subscribers of publisher ${options.name} were too slow for ${stats.missed} messages`]
        : []),
    ]);
  }
}

/** Loaded when a publisher is configured: ØMQ is large. */
async function makePublisher(options: PublisherOptions, deps: PublishersDeps): Promise<ZmqPublisher> {
  const { ZmqPublisher } = await import("../bus/publish/zmq-publisher.ts");
  const { book, clock, warn, log } = deps;
  return new ZmqPublisher(options, { book, epoch: clock.now(), warn, say: (sentence) => log.info(sentence) });
}

function originsOnBus({ sources }: Config): readonly string[] {
  return [...sources].flatMap(([name, source]) =>
    source.type === "zmq" ? [source.orders?.origin ?? name] : [],
  );
}

function sameOptions(a: PublisherOptions | undefined, b: PublisherOptions): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
