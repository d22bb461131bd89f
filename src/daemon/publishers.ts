import type { Trouble } from "../core/trouble.ts";
import type { PublishersDeps, Publishers as RunningPublishers } from "../bus/publish/publishers.ts";
import type { Config } from "../config/config.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";

/** The publishers of bans over ØMQ. Their code is loaded once a publisher is configured. */
export class Publishers implements Feature {
  readonly name = "publishers";
  readonly #deps: PublishersDeps;
  #running: RunningPublishers | null = null;

  constructor(deps: PublishersDeps) {
    this.#deps = deps;
  }

  async follow({ config }: Settings): Promise<void> {
    if (this.#running === null && config.publishers.length === 0) return;
    this.#running ??= await load(this.#deps);
    await this.#running.follow(config.publishers, originsOnBus(config));
  }

  status(): StatusFragment {
    return { publishers: this.#running?.status() ?? [] };
  }

  troubles(): Iterable<Trouble> {
    return this.#running?.troubles() ?? [];
  }

  warnings(): Iterable<string> {
    return this.#running?.warnings() ?? [];
  }

  async close(): Promise<void> {
    await this.#running?.close();
  }
}

async function load(deps: PublishersDeps): Promise<RunningPublishers> {
  const loaded = await import("../bus/publish/publishers.ts");
  return new loaded.Publishers(deps);
}

function originsOnBus({ sources }: Config): readonly string[] {
  return [...sources].flatMap(([name, source]) =>
    source.type === "zmq" ? [source.orders?.origin ?? name] : [],
  );
}
