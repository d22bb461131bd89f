import { hostname } from "node:os";
import { readPem } from "../api/remote/pem.ts";
import type { RemoteApi } from "../api/remote/remote-api.ts";
import type { RemoteController } from "../api/remote/routes.ts";
import type { ApiConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { factOf } from "../core/errors.ts";
import { type Instant, SECOND } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import type { Log } from "../observe/log.ts";
import { Every } from "./every.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";

/**
 * The API over TCP. A reload keeps it running when neither its options nor its certificate have changed. When it cannot be opened at the start
 * (its port is taken, its address is not there yet, its certificate is missing), it is tried again every two seconds. A reload that would
 * close a running API and open none is refused.
 */
export class RemoteAccess implements Feature {
  readonly name = "the API over TCP";
  readonly #controller: RemoteController;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #retry = new Every(2 * SECOND);
  #api: RemoteApi | null = null;
  /** The options and the certificate of the API that is open. */
  #written = "null";
  #config: ApiConfig | null = null;
  #trouble: string | null = null;
  /** The sentence in the log of where it listens. */
  #said = "";
  /** The last opening or closing; they follow each other. */
  #turn: Promise<unknown> = Promise.resolve();
  #isTrying = false;

  constructor(controller: RemoteController, clock: Clock, log: Log) {
    this.#controller = controller;
    this.#clock = clock;
    this.#log = log;
  }

  /** Rejects only when an API was open. */
  async follow({ config: { api: config } }: Settings): Promise<void> {
    const wasOpen = this.#api !== null;
    this.#retry.isDue(this.#clock.now());
    try {
      await this.#inTurn(() => this.#open(config));
    } catch (error) {
      if (wasOpen) throw error;
      this.#trouble = factOf(error);
    }
    this.#config = config;
  }

  tick(now: Instant): void {
    if (this.#trouble === null || this.#isTrying || !this.#retry.isDue(now)) return;
    this.#isTrying = true;
    this.#inTurn(() => this.#open(this.#config))
      .catch((error: unknown) => (this.#trouble = factOf(error)))
      .finally(() => (this.#isTrying = false));
  }

  troubles(): readonly Trouble[] {
    return this.#trouble === null ? [] : [{ of: "the API", sentence: this.#trouble }];
  }

  status(): StatusFragment {
    return { api: this.#api?.stats ?? null };
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#shut());
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** When it rejects, the API that was open still is if only the certificate could not be read; else it is closed. */
  async #open(config: ApiConfig | null): Promise<void> {
    const tls = config === null || config.tls === null ? null : readPem(config.tls);
    const written = JSON.stringify(config === null ? null : { ...config, tls });
    if (written === this.#written && this.#trouble === null) return;
    await this.#shut();
    if (config === null) {
      this.#trouble = null;
      this.#said = "";
      return;
    }
    const tokens = config.tokens.map((token) => ({ ...token, sha256: Buffer.from(token.sha256, "hex") }));
    const hosts = [...config.hosts, hostname().toLowerCase()];
    // Loads node:crypto, which the daemon does not need otherwise.
    const { RemoteApi } = await import("../api/remote/remote-api.ts");
    const api = new RemoteApi({ listen: config.listen, tls, tokens, hosts }, this.#controller, this.#clock);
    await api.open();
    this.#api = api;
    this.#written = written;
    this.#trouble = null;
    this.#say(`The API listens on ${api.stats.addresses.join(", ")}${tls === null ? " without TLS" : ""}`);
  }

  /** A new certificate or token, or the rollback of a reload, changes nothing of it. */
  #say(sentence: string): void {
    if (sentence !== this.#said) this.#log.info(sentence);
    this.#said = sentence;
  }

  async #shut(): Promise<void> {
    const api = this.#api;
    this.#api = null;
    this.#written = "null";
    await api?.close();
  }
}
