import { nativeFault } from "../native/libc.ts";
import { attributesOf } from "../netlink/message.ts";
import * as nft from "./constants.ts";
import { openSession, type Session } from "./session.ts";

/**
 * The number of the ruleset of nf_tables: another one after each transaction of any program, in any table of this network namespace. To
 * ask for it costs microseconds, whatever the size of the ruleset.
 */
export class Generation {
  #session: Session | null = null;

  /** Null where it cannot be read: no koffi, no nf_tables, or no right. */
  read(): number | null {
    if (nativeFault() !== null) return null;
    let id: number | null = null;
    try {
      this.#session ??= openSession();
      this.#session.ask({ type: nft.NFT_MSG_GETGEN }, (message) => {
        const reader = attributesOf(message);
        while (reader.next()) if (reader.type === nft.NFTA_GEN_ID) id = reader.u32();
      });
    } catch {
      this.close();
    }
    return id;
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
  }
}
