import type { z } from "zod";
import type { Limit } from "../core/limits.ts";
import type { Needs } from "../core/needs.ts";
import type * as values from "../schema/values.ts";
import type { Enforcer, TargetSpec } from "./enforcer.ts";

/**
 * One kind of enforcer: everything that the rest of the program knows about it. `kinds.ts` lists the kinds; the configuration's schema,
 * its reference, `check`, `doctor`, `rules` and the imports are made from that list.
 *
 * The daemon holds these objects, so a kind loads neither zod nor its implementation: `options` is given the schema's values, and `open`
 * imports the implementation.
 */
export interface EnforcerKind<Target extends TargetSpec = TargetSpec> {
  /** The value of `enforcer` in a target. */
  readonly name: string;
  /** For the reference, in a sentence: what a ban is here. */
  readonly summary: string;
  /** For the reference, in a sentence: what it is for. */
  readonly description: string;
  /** The keys of such a target; null for a kind whose targets come from another kind's `options`. */
  readonly options: TargetOptions | null;
  /** The value of `enforcer` that makes such a target, where that is not `name`. */
  readonly spelled?: string;
  /**
   * Whether a target may list this enforcer only once. True where the enforcer tells its bans apart by the target's name (as in a
   * shared file); false where each entry has a place of its own.
   */
  readonly once: boolean;
  /** What it alone may write, such as a table. Kinds that own the same thing cannot run together. */
  readonly owns?: string;
  /**
   * What only one daemon may write: an absolute path of a file, or the name of an object of this network namespace. Without it, what it `owns`.
   * None for a kind that writes nothing by itself.
   */
  places?(target: Target): readonly string[];
  /** A target's own part of `target NAME: ENFORCER, …`, as `check` prints it. */
  describe(target: Target): string;
  needs(target: Target): Needs;
  /** Whether no packet of a banned address gets past: then its failures after a ban are a surprise worth a warning. */
  keepsOut(target: Target): boolean;
  /** Why packets do not show whether a ban at this target holds, as a phrase; null, or no such method, where they do (`doctor --prove`). */
  unprovable?(target: Target): string | null;
  /** Whether it holds single addresses only, or may: such as sets of the operator's, or a program. */
  singles?(target: Target): boolean;
  /** Traffic that bans at this target do not stop. */
  gaps?(target: Target): readonly Gap[];
  /** Commands of iptables for rules that the target needs and that the operator writes. */
  rules?(target: Target): readonly string[];
  /** Its bounds, by names of their own, for docs/limits.md. */
  readonly limits?: Readonly<Record<string, Limit>>;
  /** Actions of fail2ban whose bans `stoplog import fail2ban` turns into targets of this kind. */
  readonly fail2ban?: readonly Fail2banAction[];
  /**
   * A new enforcer for all targets of this kind; nothing is changed before its own `open`. `say` takes sentences for the log. Rejects
   * with a StoplogError where the kind cannot work at all.
   */
  open(say: (sentence: string) => void): Promise<Enforcer>;
}

/** Traffic that bans do not stop, for `stoplog doctor` on a machine that has such traffic. */
export interface Gap {
  readonly traffic: "containers" | "IPv6";
  /** The gap is there only where one program is installed and the other is not. */
  readonly where?: { readonly installed: string; readonly missing: string };
  readonly what: string;
  readonly why: string;
  readonly cure: readonly string[];
}

/** An action of fail2ban's that bans in a way of ours. */
export interface Fail2banAction {
  readonly names: RegExp;
  /** True when it stops all traffic, whatever its `port` says. */
  readonly allPorts?: boolean;
  /** What is different with us, as a phrase. */
  readonly note?: string;
  /** The target. Without it, `blocktype`, `port`, `protocol` and `chain` become `verdict`, `ports`, `protocols` and `chain`. */
  target?(action: {
    /** An option's value with its tags filled in; null for one that is not set. */
    readonly option: (name: string) => string | null;
    /** Tells the operator what is different. */
    readonly note: (fact: string) => void;
  }): {
    /** The target's name, unless it is taken. */
    readonly name: string;
    /** Its keys beside `enforcer`. */
    readonly keys: readonly (readonly [key: string, value: string])[];
  };
}

export type Values = typeof values;

/** The keys of a target, beside `enforcer` and the keys of all targets, and how they become a TargetSpec. */
export interface TargetOptions {
  keys(values: Values): z.ZodRawShape;
  /** Called when all keys that must be there are there. Keys left out, or with a wrong value that was reported, have their defaults. */
  read(values: Readonly<Record<string, unknown>>, written: WrittenTarget): TargetSpec;
}

/** A target as it is written in the file, for conditions between keys. */
export interface WrittenTarget {
  /** The target's name. */
  readonly name: string;
  has(key: string): boolean;
  /** Whether the key is written and its value is right. */
  isGood(key: string): boolean;
  /** Reports `KEY FACT` at the key's place; nothing for a key that is not written. */
  refuse(key: string, fact: string): void;
  /** Reports a fact about the target at its place. */
  report(fact: string): void;
}

/** Ties the type that `read` gets to the schema of `keys`. */
export function targetOptions<Keys extends z.ZodRawShape>(
  keys: (values: Values) => Keys,
  read: (values: Readonly<z.output<z.ZodObject<Keys>>>, written: WrittenTarget) => TargetSpec,
): TargetOptions {
  return { keys, read: read as TargetOptions["read"] };
}
