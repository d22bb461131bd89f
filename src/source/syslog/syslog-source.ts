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

/** Syslog messages (RFC 3164, RFC 5424) from other programs and machines, as lines of a log file. */
export class SyslogSource implements Source {
  readonly kind = "syslog";
  readonly name: string;
  readonly stats = newSourceStats();
  readonly #options: SyslogOptions;
  readonly #address: ListenAddress;
  #isListening = false;
  /** When it listened last; null when it never has. */
  #heardUntil: Instant | null;

  /** Throws a StoplogError for an address that cannot be one. */
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
      over.catch(() => undefined); // it may break before anybody waits for it
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

  /** Only until when it listened: what was sent later is the sender's to keep, and most do not. */
  position(): SourcePosition | null {
    const heardUntil = this.#isListening ? Date.now() : this.#heardUntil;
    return heardUntil === null ? null : { heardUntil };
  }

  /** What was sent while nobody listened is lost without a trace, so at least the time is said. Over TCP the sender knows. */
  #absence(now: Instant): string {
    if (this.#heardUntil === null || this.#address.kind === "tcp") return "";
    const absent = Math.max(1, Math.ceil((now - this.#heardUntil) / SECOND)) * SECOND;
    return `, after ${durationWords(absent)} in which nobody did`;
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
