import type { Context, Reply } from "zeromq";
import { encodeZ85 } from "./z85.ts";
import type { ZeroMq } from "./load-zeromq.ts";

/**
 * Decides which clients a CURVE server accepts, by RFC 27 (ZAP 1.0): libzmq sends a request with the public key of the client within the
 * process, and accepts only clients that the reply names.
 */
export class ZapDoor {
  readonly #reply: Reply;
  readonly #allowed: ReadonlySet<string>;

  private constructor(reply: Reply, allowed: Iterable<string>) {
    this.#reply = reply;
    this.#allowed = new Set(allowed);
  }

  /** Must be open before the socket of the server binds. */
  static async open(zmq: ZeroMq, context: Context, allowed: readonly string[]): Promise<ZapDoor> {
    const reply = new zmq.Reply({ context, linger: 0 });
    await reply.bind("inproc://zeromq.zap.01");
    const door = new ZapDoor(reply, allowed);
    void door.#answer();
    return door;
  }

  close(): void {
    this.#reply.close();
  }

  async #answer(): Promise<void> {
    for (;;) {
      try {
        await this.#reply.send(zapAnswer(await this.#reply.receive(), this.#allowed));
      } catch {
        return; // closed
      }
    }
  }
}

/** `[version, id, domain, address, identity, mechanism, credentials]` to `[version, id, status, text, user, metadata]`. */
export function zapAnswer(request: readonly Uint8Array[], allowed: ReadonlySet<string>): (string | Buffer)[] {
  const [version, id = EMPTY, , , , mechanism, key] = request;
  const answer = (status: string, text: string, user = ""): (string | Buffer)[] => [
    "1.0",
    Buffer.from(id),
    status,
    text,
    user,
    "",
  ];
  if (wordOf(version) !== "1.0") return answer("500", "version");
  if (wordOf(mechanism) !== "CURVE" || key?.length !== 32) return answer("400", "mechanism");
  const name = encodeZ85(key);
  return allowed.has(name) ? answer("200", "OK", name) : answer("400", "key");
}

const EMPTY = new Uint8Array();

function wordOf(frame: Uint8Array | undefined): string {
  return Buffer.from(frame ?? EMPTY).toString("latin1");
}
