import { expect } from "vitest";
import { HOUR } from "../../src/core/time.ts";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import type { Enforcement, Enforcer } from "../../src/enforce/enforcer.ts";
import { join, Namespace } from "./namespace.ts";
import { attempt, Listener } from "./packets.ts";
import { eventually } from "./waiting.ts";

/**
 *      attacker 192.0.2.66, 2001:db8::66 ──── 192.0.2.1, 2001:db8::1 server, which listens on ports 22 and 80
 */
export class AttackedServer {
  readonly server = Namespace.create("server");
  readonly #attacker = Namespace.create("attacker");
  readonly #listeners: Listener[] = [];

  static async start(): Promise<AttackedServer> {
    const there = new AttackedServer();
    join(
      { namespace: there.server, addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
      { namespace: there.#attacker, addresses: ["192.0.2.66/24", "2001:db8::66/64"] },
    );
    for (const port of [22, 80]) there.#listeners.push(await Listener.open(there.server, port));
    return there;
  }

  /** Result of a connection attempt of the attacker over IPv4 or IPv6. */
  reach(family: 4 | 6, port = 22): Promise<string> {
    return attempt(this.#attacker, family === 4 ? "192.0.2.1" : "2001:db8::1", port);
  }

  /** Bans and unbans the attacker's address and a network around it, and checks both with packets. */
  async expectKeptOut(
    enforcer: Enforcer,
    target: string,
    outcome: string | RegExp = "silence",
  ): Promise<void> {
    for (const [family, texts] of [
      [4, ["192.0.2.66", "192.0.2.64/29"]],
      [6, ["2001:db8::66", "2001:db8::/121"]],
    ] as const) {
      for (const text of texts) {
        const prefix = prefixOf(text);
        const now = Date.now();
        const change = (one: Enforcement) => this.server.inside(() => enforcer.apply([one], now));
        await this.#expectConnected(family, text);
        const refused = await change({ kind: "ban", prefix, target, until: now + HOUR });
        expect(
          await change({ kind: "ban", prefix: prefixOf("203.0.113.9"), target, until: now + HOUR }),
        ).toEqual([]);
        if (refused.length === 0)
          expect([text, await this.reach(family)]).toEqual([text, expect.stringMatching(outcome)]);
        expect(await change({ kind: "unban", prefix, target })).toEqual([]);
        await this.#expectConnected(family, text);
      }
    }
  }

  /** Tries again for some seconds: on a busy machine an answer can take longer than one attempt waits. */
  async #expectConnected(family: 4 | 6, text: string): Promise<void> {
    await eventually(async () => expect([text, await this.reach(family)]).toEqual([text, "connected"]));
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
    this.#attacker.remove();
    this.server.remove();
  }
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return prefix;
}
