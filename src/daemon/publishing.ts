import type { StatusReply } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Config } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import type { PublisherOptions, ZmqPublisher } from "../bus/publish/zmq-publisher.ts";
import type { Log } from "../observe/log.ts";

export interface PublishingDeps {
  readonly book: Book;
  readonly log: Log;
  /** As `log.warn`, but held to a rate. */
  readonly warn: (sentence: string) => void;
  readonly clock: Clock;
}

/** Whom a configuration tells of the bans; a reload leaves alone those that stay as they are. */
export class Publishing {
  readonly #deps: PublishingDeps;
  readonly #running = new Map<string, ZmqPublisher>();

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  async follow(config: Config): Promise<void> {
    const wanted = new Map(config.publishers.map((options) => [options.name, options]));
    for (const [name, publisher] of this.#running) {
      if (sameOptions(wanted.get(name), publisher.options)) continue;
      this.#running.delete(name);
      await publisher.close();
    }
    const fromBus = originsOnBus(config);
    for (const [name, options] of wanted) {
      const there = this.#running.get(name);
      const publisher = there ?? (await makePublisher(options, this.#deps));
      publisher.leaveOut(fromBus);
      if (there !== undefined) continue;
      this.#running.set(name, publisher);
      await publisher.open();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((publisher) => publisher.close()));
    this.#running.clear();
  }

  status(): StatusReply["publishers"] {
    return [...this.#running].map(([name, publisher]) => ({
      name,
      kind: publisher.kind,
      state: publisher.state,
      ...publisher.stats,
      turnedAway: publisher.turnedAway,
    }));
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

/** Most configurations tell nobody, and need nothing of what that takes. */
async function makePublisher(options: PublisherOptions, deps: PublishingDeps): Promise<ZmqPublisher> {
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
