import { StoplogError } from "../../core/errors.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { type Duration, type Instant, SECOND } from "../../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import { lastChanges } from "../last-changes.ts";
import { FORMATS } from "./formats.ts";
import { LIMITS, type ProxyTarget } from "./kind.ts";
import { ProxyBans } from "./proxy-bans.ts";

export interface ProxyOptions {
  /** Bans in each file. */
  readonly capacity?: number;
  /** Least time between two writes of a file. */
  readonly writeEvery?: Duration;
}

/** Keeps files of banned addresses that reverse proxies read: there the client is known, whose packets come from elsewhere. */
export class ProxyEnforcer implements Enforcer {
  readonly kind = "proxy";
  readonly expires = "book";
  readonly #options: ProxyOptions;
  /** By their files; null when it is not open. */
  #bans: ReadonlyMap<string, ProxyBans> | null = null;

  constructor(options: ProxyOptions = {}) {
    this.#options = options;
  }

  async open(targets: readonly ProxyTarget[], onLost: (fact: string) => void): Promise<void> {
    refuseShared(targets);
    const before = this.#bans ?? new Map<string, ProxyBans>();
    const bans = new Map<string, ProxyBans>();
    for (const target of targets) {
      const there = before.get(target.path);
      const isKept = there !== undefined && JSON.stringify(there.target) === JSON.stringify(target);
      if (!isKept) await there?.close({ flush: false });
      bans.set(target.path, isKept ? there : new ProxyBans(target, this.#optionsOf(target, onLost)));
    }
    for (const [path, one] of bans) if (before.get(path) !== one) await one.open();
    this.#bans = bans;
    for (const [path, one] of before) if (!bans.has(path)) await one.close({ flush: true });
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    return this.#forEach(changes, now, (one, ours) => one.apply(ours));
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    return this.#forEach(bans, now, (one, ours) => one.replace(ours.filter(({ kind }) => kind === "ban")));
  }

  /** The files say nothing of ends. */
  async list(): Promise<readonly Enforced[]> {
    const enforced = new Map<string, Enforced>();
    for (const { target, prefixes } of this.#opened().values()) {
      for (const text of prefixes) {
        const prefix = parsePrefix(text);
        if (prefix !== null)
          enforced.set(`${target.name} ${text}`, { prefix, target: target.name, until: null });
      }
    }
    return [...enforced.values()];
  }

  async missing(): Promise<string | null> {
    for (const one of this.#bans?.values() ?? []) {
      const fact = await one.missing();
      if (fact !== null) return fact;
    }
    return null;
  }

  async close(options: { readonly flush: boolean }): Promise<void> {
    const bans = this.#bans;
    this.#bans = null;
    await Promise.all([...(bans?.values() ?? [])].map((one) => one.close(options)));
  }

  #opened(): ReadonlyMap<string, ProxyBans> {
    if (this.#bans === null) throw new StoplogError("Cannot change bans: proxy is not open");
    return this.#bans;
  }

  #optionsOf({ format }: ProxyTarget, onLost: (fact: string) => void) {
    const bound = FORMATS[format].isLinear ? LIMITS.proxyRules.value : LIMITS.proxyFile.value;
    return {
      capacity: this.#options.capacity ?? bound,
      writeEvery: this.#options.writeEvery ?? SECOND,
      onLost,
    };
  }

  /** With all files of a target at the same time. */
  async #forEach(
    changes: Iterable<Enforcement>,
    now: Instant,
    act: (one: ProxyBans, ours: readonly Enforcement[]) => Promise<readonly Refusal[]>,
  ): Promise<readonly Refusal[]> {
    const bans = [...this.#opened().values()];
    const last = await lastChanges(changes, new Set(bans.map(({ target }) => target.name)), now);
    const byTarget = new Map<string, Enforcement[]>();
    for (const change of last.changes.values()) {
      const group = byTarget.get(change.target);
      if (group === undefined) byTarget.set(change.target, [change]);
      else group.push(change);
    }
    const refusals = await Promise.all(bans.map((one) => act(one, byTarget.get(one.target.name) ?? [])));
    return [...last.refusals, ...refusals.flat()];
  }
}

function refuseShared(targets: readonly ProxyTarget[]): void {
  const paths = targets.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined)
    throw new StoplogError(
      `Cannot use ${twice}: it is named twice, and each target would replace the other's bans`,
    );
}
