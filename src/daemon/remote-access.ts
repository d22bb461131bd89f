import { hostname } from "node:os";
import type { RemoteApi } from "../api/remote/remote-api.ts";
import type { RemoteController } from "../api/remote/routes.ts";
import type { ApiConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { cannot } from "../core/errors.ts";
import type { Log } from "../observe/log.ts";
import type { Feature, Settings, StatusFragment } from "./feature.ts";
import { readRegularFile } from "../core/read-regular-file.ts";

/** The API over TCP. A reload keeps it running when neither its options nor its certificate have changed. */
export class RemoteAccess implements Feature {
  readonly name = "the API over TCP";
  readonly #controller: RemoteController;
  readonly #clock: Clock;
  readonly #log: Log;
  #api: RemoteApi | null = null;
  #written = "null";

  constructor(controller: RemoteController, clock: Clock, log: Log) {
    this.#controller = controller;
    this.#clock = clock;
    this.#log = log;
  }

  /** When it rejects, the API is closed. */
  async follow({ config: { api: config } }: Settings): Promise<void> {
    const tls = config === null || config.tls === null ? null : readPem(config.tls);
    const written = JSON.stringify(config === null ? null : { ...config, tls });
    if (written === this.#written) return;
    await this.close();
    if (config === null) return;
    const tokens = config.tokens.map((token) => ({ ...token, sha256: Buffer.from(token.sha256, "hex") }));
    // Loads node:crypto, which the daemon does not need otherwise.
    const { RemoteApi } = await import("../api/remote/remote-api.ts");
    const api = new RemoteApi(
      { listen: config.listen, tls, tokens, hosts: [...config.hosts, hostname().toLowerCase()] },
      this.#controller,
      this.#clock,
    );
    await api.open();
    this.#api = api;
    this.#written = written;
    this.#log.info(
      `The API listens on ${api.stats.addresses.join(", ")}${tls === null ? " without TLS" : ""}`,
    );
  }

  status(): StatusFragment {
    return { api: this.#api?.stats ?? null };
  }

  async close(): Promise<void> {
    const api = this.#api;
    this.#api = null;
    this.#written = "null";
    await api?.close();
  }
}

function readPem({ cert, key }: NonNullable<ApiConfig["tls"]>): {
  readonly cert: string;
  readonly key: string;
} {
  try {
    return { cert: readRegularFile(cert, "utf8"), key: readRegularFile(key, "utf8") };
  } catch (error) {
    throw cannot("read the API's certificate and key", error);
  }
}
