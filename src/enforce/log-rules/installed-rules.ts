import { StoplogError } from "../../core/errors.ts";
import { type NftProgram, nftProgram } from "../nft-program/program.ts";
import { type LogRule } from "./log-rule.ts";
import { LOG_TABLE, nftLogRules, NO_LOG_RULES } from "./nft-rules.ts";

/** Keeps rules in the kernel that log packets for us, by way of the nft program: they change with the configuration only. */
export class InstalledRules {
  readonly #nft: NftProgram;
  #wanted = "";
  #stands = false;

  constructor(nft: NftProgram = nftProgram()) {
    this.#nft = nft;
  }

  /** Makes exactly these rules stand. Throws a StoplogError; `repair` tries again. */
  async replace(rules: readonly LogRule[]): Promise<void> {
    const wanted = rules.length === 0 ? "" : nftLogRules(rules);
    if (wanted === this.#wanted && this.#stands) return;
    const stood = this.#wanted !== "";
    this.#wanted = wanted;
    if (wanted === "" && !stood) return;
    await this.#install();
  }

  /** Puts the rules back when somebody has taken them away; answers whether that was so. Throws as `replace` does. */
  async repair(): Promise<boolean> {
    if (this.#wanted === "") return false;
    if (this.#stands && (await this.#nft.read(["list", "table", "inet", LOG_TABLE])) !== null) return false;
    const stood = this.#stands;
    await this.#install();
    return stood;
  }

  /** Takes them away: nobody listens any more. */
  async remove(): Promise<void> {
    if (this.#wanted !== "") await this.replace([]);
  }

  async #install(): Promise<void> {
    this.#stands = false;
    const fact = await this.#nft.run(this.#wanted === "" ? NO_LOG_RULES : this.#wanted);
    if (fact !== null) throw new StoplogError(`Cannot install the rules that log packets: ${fact}`);
    this.#stands = true;
  }
}
