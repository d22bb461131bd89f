import { formatAddress, isV4 } from "../../core/address.ts";
import type { Family } from "../../core/family.ts";
import { wordMask } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { BanSet } from "../ruleset/names.ts";
import type { AddressSet, Rate } from "../../kernel/nftables/rule.ts";
import type { BanChain, BanPart, BanRule, HelperSet } from "../ruleset/ban-rules.ts";
import { type ElementChange, isUnban, timeoutFor } from "../ruleset/standing-sets.ts";

/** Bans that end before `now` are unbans; `clock` is the time at which an element is written. */
export interface Time {
  readonly now: Instant;
  readonly clock: () => Instant;
}

/** Commands of nft(8), one a line; a script is one transaction. No text from a log is in them. */
export class Script {
  readonly #lines: string[] = [];
  readonly #table: string;

  constructor(table: string) {
    this.#table = `inet ${table}`;
  }

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  table(): void {
    this.#lines.push(`add table ${this.#table}`);
  }

  deleteTable(): void {
    this.#lines.push(`delete table ${this.#table}`);
  }

  chain({ name, base }: BanChain): void {
    const hook =
      base === null ? "" : ` { type filter hook prerouting priority ${base.priority}; policy accept; }`;
    this.#lines.push(`add chain ${this.#table} ${name}${hook}`);
  }

  deleteChain(name: string): void {
    this.#lines.push(`delete chain ${this.#table} ${name}`);
  }

  flushChain(name: string): void {
    this.#lines.push(`flush chain ${this.#table} ${name}`);
  }

  rules({ name, rules }: BanChain): void {
    for (const rule of rules) this.#lines.push(`add rule ${this.#table} ${name} ${ruleText(rule)}`);
  }

  banSet({ name, family }: BanSet, size: number): void {
    this.#lines.push(
      `add set ${this.#table} ${name} { type ${keyType(family)}; flags timeout; size ${size}; }`,
    );
  }

  helperSet(set: HelperSet): void {
    if (set.kind === "ports") {
      const ranges = set.ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
      this.#lines.push(
        `add set ${this.#table} ${set.name} { type inet_service; flags interval; }`,
        `add element ${this.#table} ${set.name} { ${ranges.join(", ")} }`,
      );
    } else {
      this.#lines.push(
        `add set ${this.#table} ${set.name} { type ${keyType(set.family)}; flags dynamic,timeout; timeout ${set.timeout}s; size ${set.size}; }`,
      );
    }
  }

  deleteElement(set: string, key: string): void {
    this.#lines.push(`delete element ${this.#table} ${set} { ${key} }`);
  }

  deleteSet(name: string): void {
    this.#lines.push(`delete set ${this.#table} ${name}`);
  }

  flushSet(name: string): void {
    this.#lines.push(`flush set ${this.#table} ${name}`);
  }

  /**
   * Adds, deletes and adds again: the delete needs an element that exists, and older kernels do not change the end of an element that is
   * added again.
   */
  elements(changes: readonly ElementChange[], { now, clock }: Time): void {
    let from = 0;
    while (from < changes.length) {
      const { set, change } = changes[from]!;
      const unbans = isUnban(change, now);
      let to = from + 1;
      while (to < changes.length && changes[to]!.set === set && isUnban(changes[to]!.change, now) === unbans)
        to++;
      const run = changes.slice(from, to);
      const keys = run.map((one) => formatAddress(one.change.prefix.address)).join(", ");
      this.#lines.push(
        `add element ${this.#table} ${set.name} { ${keys} }`,
        `delete element ${this.#table} ${set.name} { ${keys} }`,
      );
      if (!unbans) this.newElements(run, clock());
      from = to;
    }
  }

  /** Bans of one set that do not exist in it. */
  newElements(run: readonly ElementChange[], now: Instant): void {
    if (run.length === 0) return;
    const elements = run.map(({ change }) => elementText(change, now)).join(", ");
    this.#lines.push(`add element ${this.#table} ${run[0]!.set.name} { ${elements} }`);
  }
}

function elementText(change: ElementChange["change"], now: Instant): string {
  const key = formatAddress(change.prefix.address);
  const timeout = change.kind === "ban" ? timeoutFor(change.until, now) : null;
  return timeout === null ? key : `${key} timeout ${timeout}ms`;
}

function ruleText(rule: BanRule): string {
  return rule.map(partText).join(" ");
}

function partText(part: BanPart): string {
  switch (part.kind) {
    case "family":
      return `meta nfproto ${part.family === "v4" ? "ipv4" : "ipv6"}`;
    case "source":
      return `${source(part.set)} ${part.not === true ? "!= " : ""}@${part.set.name}`;
    case "protocol":
      return `meta l4proto ${part.protocol}`;
    case "port":
      return `th dport @${part.set}`;
    case "source limit":
      return `update @${part.set.name} { ${source(part.set)} ${limitText(part.rate, part.over)} }`;
    case "jump":
    case "goto":
      return `${part.kind} ${part.chain}`;
    case "reject":
      return part.with === "tcp reset" ? "reject with tcp reset" : "reject with icmpx type admin-prohibited";
    case "counter":
    case "drop":
    case "return":
      return part.kind;
  }
}

function source({ family, length }: AddressSet): string {
  const address = family === "v4" ? "ip saddr" : "ip6 saddr";
  return length === null ? address : `${address} & ${maskText(family, length)}`;
}

function keyType(family: Family): string {
  return family === "v4" ? "ipv4_addr" : "ipv6_addr";
}

function maskText(family: Family, length: number): string {
  const words =
    family === "v4"
      ? [0, 0, 0xffff, wordMask(length)]
      : [0, 32, 64, 96].map((bits) => wordMask(length - bits));
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  const mask = { w0, w1, w2, w3 };
  return family === "v6" && isV4(mask) ? "::" : formatAddress(mask);
}

const UNIT_NAMES: Readonly<Record<number, string>> = {
  1: "second",
  60: "minute",
  3600: "hour",
  86_400: "day",
  604_800: "week",
};

function limitText({ packets, seconds, burst }: Rate, over: boolean): string {
  return `limit rate ${over ? "over " : ""}${packets}/${UNIT_NAMES[seconds] ?? "second"} burst ${burst} packets`;
}
