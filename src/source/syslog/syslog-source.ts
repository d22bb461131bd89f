import type { LineSink } from "../../core/batch.ts";
import { cannot, StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Instant, SECOND } from "../../core/time.ts";
import { durationWords } from "../../core/wording.ts";
import { DEFAULT_MAX_LINE } from "../line-splitter.ts";
import { newSourceStats, type Source, type SourcePosition } from "../source.ts";
import { groupId, userId } from "./accounts.ts";
import type { SyslogOptions } from "./kind.ts";
import { LineStore } from "./line-store.ts";
import { type ListenAddress, parseListenAddress } from "./listen-address.ts";
import type { Listener, ListenerParts } from "./listener.ts";
import { listenTcp } from "./tcp-listener.ts";
import { listenUdp } from "./udp-listener.ts";
import { listenUnix } from "./unix-listener.ts";

/** Receives syslog messages (RFC 3164, RFC 5424) from other programs and machines, as lines of a log file. */
export class SyslogSource implements Source {
  readonly kind = "syslog";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #options: SyslogOptions;
  readonly #address: ListenAddress;
  #isListening = false;
  /** The last time it was listening; null when it never was. */
  #heardUntil: Instant | null;

  /** Throws a StoplogError for an invalid address. */
  constructor(name: string, options: SyslogOptions, position: SourcePosition | null = null) {
    const address = parseListenAddress(options.listen);
    if (typeof address === "string") throw new StoplogError(`Cannot listen on ${options.listen}: ${address}`);
    this.name = name;
    this.#options = options;
    this.#address = address;
    const heardUntil = position?.["heardUntil"];
    this.#heardUntil = typeof heardUntil === "number" ? heardUntil : null;
  }

  async run(sink: LineSink, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const maxLine = this.#options.maxLine ?? DEFAULT_MAX_LINE;
    const host = this.#address.kind === "unix" ? "localhost" : "-";
    const store = new LineStore(sink, this.stats, { maxLine, host, capacity: LIMITS.syslogBytes.value });
    const { listen } = this.#options;
    let listener: Listener | undefined;
    try {
      let onBroken: (thrown: Error) => void = () => undefined;
      const over = new Promise<void>((resolve, reject) => {
        onBroken = reject;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      over.catch(() => undefined); // it may reject before the await below
      listener = await this.#listen({ store, stats: this.stats, maxLine, onBroken });
      this.stats.state = `${listener.state}${this.#absence(Date.now())}`;
      this.#isListening = true;
      await over;
    } catch (thrown) {
      throw cannot(`listen on ${listen}`, thrown);
    } finally {
      if (this.#isListening) this.#heardUntil = Date.now();
      this.#isListening = false;
      await listener?.close();
      this.stats.state = "stopped";
    }
  }

  /** Only the last time it was listening: messages sent since then are lost, unless the sender kept them. */
  position(): SourcePosition | null {
    const heardUntil = this.#isListening ? Date.now() : this.#heardUntil;
    return heardUntil === null ? null : { heardUntil };
  }

  /** Messages that were sent while Stoplog was not listening are lost without a trace, so the state names the gap. A TCP sender notices by itself. */
  #absence(now: Instant): string {
    if (this.#heardUntil === null || this.#address.kind === "tcp") return "";
    const absent = Math.max(1, Math.ceil((now - this.#heardUntil) / SECOND)) * SECOND;
    return `, after a gap of ${durationWords(absent)}`;
  }

  async #listen(parts: ListenerParts): Promise<Listener> {
    const { mode = 0o660, owner, group } = this.#options;
    const address = this.#address;
    if (address.kind === "unix") {
      const permissions = {
        mode,
        owner: owner === undefined ? null : userId(owner),
        group: group === undefined ? null : groupId(group),
      };
      return listenUnix(address.path, permissions, parts);
    }
    const host = address.host === "localhost" ? "127.0.0.1" : address.host;
    return address.kind === "udp"
      ? listenUdp(host, address.port, parts)
      : listenTcp(host, address.port, parts);
  }
}
