import { formatPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import { isWide, wideNetworks } from "../core/wide-networks.ts";
import type { Trusted } from "../jail/trusted.ts";
import type { Feature } from "./feature.ts";

/**
 * Warns of orders to allow that spare so many addresses that hardly any attacker is banned: in the answer, and in the log and the status
 * as long as they last, also after a restart.
 */
export class WideAllows implements Feature {
  readonly name = "wide orders to allow";
  readonly #trusted: Pick<Trusted, "wide">;
  readonly #say: Say;
  /** What the log has said. At most one sentence for each family. */
  #said: readonly string[] = [];

  constructor(trusted: Pick<Trusted, "wide">, say: Say) {
    this.#trusted = trusted;
    this.#say = say;
  }

  /** For the answer to an order that was just carried out; null when the network is not wide. */
  warningOf(prefix: Prefix, now: Instant): string | null {
    if (!isWide(prefix)) return null;
    const sentences = this.warnings(now);
    return sentences.length === 0 ? null : sentences.join("; ");
  }

  tick(now: Instant): void {
    const sentences = this.warnings(now);
    for (const sentence of sentences) if (!this.#said.includes(sentence)) this.#say.warn(sentence);
    if (sentences.length === 0 && this.#said.length > 0) this.#say.info(OVER);
    this.#said = sentences;
  }

  warnings(now: Instant): readonly string[] {
    const networks = this.#trusted.wide(now);
    if (networks.length === 0) return [];
    const shown = networks.slice(0, SHOWN).map(formatPrefix).join(", ");
    const more = networks.length > SHOWN ? ", …" : "";
    return wideNetworks(`an order (allow ${shown}${more})`, networks);
  }
}

const OVER = "The orders to allow no longer cover half of all addresses: attackers are banned again";
const SHOWN = 4;

interface Say {
  readonly warn: (sentence: string) => void;
  readonly info: (sentence: string) => void;
}
