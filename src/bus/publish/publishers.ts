import type { Trouble } from "../../core/trouble.ts";
import type { Book } from "../../book/book.ts";
import { type PublisherOptions, ZmqPublisher } from "./zmq-publisher.ts";

export interface PublishersDeps {
  readonly book: Book;
  /** Distinguishes this process from earlier ones. */
  readonly epoch: number;
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}

/** What `status` reports of a publisher. */
export type PublisherStatus = Readonly<ZmqPublisher["stats"]> & {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly turnedAway: number;
};

/** Publishers of bans over ØMQ. A reload keeps unchanged ones running. */
export class Publishers {
  readonly #deps: PublishersDeps;
  readonly #running = new Map<string, ZmqPublisher>();

  constructor(deps: PublishersDeps) {
    this.#deps = deps;
  }

  /** Moves to other publishers. Bans of the origins `fromBus` are not sent back to the bus that they came from. */
  async follow(publishers: readonly PublisherOptions[], fromBus: readonly string[]): Promise<void> {
    const desired = new Map(publishers.map((options) => [options.name, options]));
    for (const [name, publisher] of this.#running) {
      if (sameOptions(desired.get(name), publisher.options)) continue;
      this.#running.delete(name);
      await publisher.close();
    }
    for (const [name, options] of desired) {
      const running = this.#running.get(name);
      const publisher = running ?? this.#make(options);
      publisher.leaveOut(fromBus);
      if (running !== undefined) continue;
      this.#running.set(name, publisher);
      await publisher.open();
    }
  }

  status(): readonly PublisherStatus[] {
    return [...this.#running].map(([name, publisher]) => ({
      name,
      kind: publisher.kind,
      state: publisher.state,
      ...publisher.stats,
      turnedAway: publisher.turnedAway,
    }));
  }

  *troubles(): Generator<Trouble> {
    for (const { trouble, options } of this.#running.values())
      if (trouble !== null) yield { of: `publisher ${options.name}`, sentence: trouble };
  }

  *warnings(): Generator<string> {
    for (const { options, stats } of this.#running.values()) {
      if (stats.missed > 0)
        yield `subscribers of publisher ${options.name} were too slow for ${stats.missed} messages`;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map((publisher) => publisher.close()));
    this.#running.clear();
  }

  #make(options: PublisherOptions): ZmqPublisher {
    const { book, epoch, warn, info } = this.#deps;
    return new ZmqPublisher(options, { book, epoch, warn, say: info });
  }
}

function sameOptions(a: PublisherOptions | undefined, b: PublisherOptions): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
