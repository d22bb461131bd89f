import type { IgnoreCommandConfig } from "../../config/ignoreip.ts";
import { AddressTable } from "../../core/address-table.ts";
import { type Address, formatAddress, isV4 } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import { hostPrefix, type Prefix, prefixCovers } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { Asked } from "../../jail/ignore.ts";
import type { IgnoreRuns, Run } from "./ignore-runs.ts";

export interface IgnoreCommandDeps {
  readonly runs: IgnoreRuns;
  readonly now: () => Instant;
  /** The command says that the address must not be banned. It may be banned by now. */
  readonly ignored: (jail: string, address: Address) => void;
}

/**
 * The `ignorecommand` of one jail: exit status 0 says that the jail never bans the address. It runs at the first failure of an address;
 * counting and bans do not wait for the answer. Answers are remembered for `ignorecache`.
 */
export class IgnoreCommand implements Asked {
  readonly config: IgnoreCommandConfig;
  /** Why the last run gave no answer; null when it gave one. */
  fault: string | null = null;
  asked = 0;
  found = 0;
  failed = 0;
  readonly #jail: string;
  readonly #deps: IgnoreCommandDeps;
  /** Until when each is ignored. */
  readonly #ignored = new AddressTable<Instant>(LIMITS.ignoreAnswers.value);
  /** Until when each is not asked about again. */
  readonly #others = new AddressTable<Instant>(LIMITS.ignoreAnswers.value);
  readonly #pending = new Set<string>();

  constructor(jail: string, config: IgnoreCommandConfig, deps: IgnoreCommandDeps) {
    this.#jail = jail;
    this.config = config;
    this.#deps = deps;
  }

  /** Answers that were forgotten early to make room. */
  get forgotten(): number {
    return this.#ignored.forgotten + this.#others.forgotten;
  }

  has(a: Address, now: Instant): boolean {
    return (this.#ignored.get(a) ?? 0) > now;
  }

  meets(network: Prefix, now: Instant): boolean {
    if (this.#ignored.size === 0) return false;
    return this.#ignored.some((a, until) => until > now && prefixCovers(network, hostPrefix(a)));
  }

  ask(a: Address, now: Instant): void {
    if ((this.#others.get(a) ?? 0) > now || this.has(a, now)) return;
    const address = formatAddress(a);
    if (this.#pending.has(address)) return;
    const ended: Run["ended"] = (end) => {
      this.#pending.delete(address);
      this.#answered(a, end);
    };
    if (!this.#deps.runs.add({ argv: this.#argv(a, address), ended })) return;
    this.#pending.add(address);
    this.asked++;
  }

  /** Status 0 and 1 are answers. After any other end the address counts as others do, as in fail2ban. */
  #answered(a: Address, { how, status, fact }: Parameters<Run["ended"]>[0]): void {
    const until = this.#deps.now() + this.config.remember;
    const isAnswer = how === "exited" && (status === 0 || status === 1);
    this.fault = isAnswer ? null : (fact ?? "it did not end");
    if (!isAnswer) this.failed++;
    if (!isAnswer || status === 1) return this.#others.set(a, until);
    this.found++;
    this.#ignored.set(a, until);
    this.#deps.ignored(this.#jail, a);
  }

  /** Each argument stays one argument. No value comes from log text. */
  #argv(a: Address, address: string): readonly string[] {
    const values = { address, family: isV4(a) ? "inet4" : "inet6", jail: this.#jail };
    return this.config.argv.map((word) =>
      word.replace(/\{(address|family|jail)\}/g, (_, name: keyof typeof values) => values[name]),
    );
  }
}
