import { setImmediate as nextTurn } from "node:timers/promises";
import { formatAddress, parseAddress } from "../../core/address.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { factOf, StoplogError } from "../../core/errors.ts";
import { formatPrefix, hostPrefix, isHost, type Prefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import { type RecentTarget, LIMITS } from "./kind.ts";
import { lastChanges, refused } from "../last-changes.ts";
import { type ListFile, listCapacity, openListFile } from "./list-file.ts";
import { recentRules } from "./rules.ts";

/**
 * Writes addresses into lists of xt_recent that the operator's rules match. The kernel neither ends a ban nor reports a full list: it
 * forgets the address that was seen least recently. So this class counts the addresses too, and refuses the ban that would push one out.
 */
export class RecentEnforcer implements Enforcer {
  readonly kind = "recent";
  readonly expires = "book";
  readonly #say: (sentence: string) => void;
  readonly #capacity: () => number | null;
  #lists: ReadonlyMap<string, List> | null = null;
  /** Lists of targets that have another list now: they are emptied once that one has the bans. */
  readonly #gone: List[] = [];

  constructor(say: (sentence: string) => void = () => undefined, capacity = listCapacity) {
    this.#say = say;
    this.#capacity = capacity;
  }

  async open(targets: readonly RecentTarget[]): Promise<void> {
    refuseShared(targets);
    const found = this.#capacity();
    const capacity = found ?? LIMITS.recentList.value;
    const lists = new Map<string, List>();
    for (const target of targets) {
      const file = open(target);
      lists.set(target.name, { name: target.list, file, order: orderOf(file, capacity), capacity });
    }
    const names = new Set([...lists.values()].map(({ name }) => name));
    for (const list of this.#lists?.values() ?? [])
      if (names.has(list.name)) list.file.close();
      else this.#gone.push(list);
    this.#lists = lists;
    if (found !== null && found < SMALL) this.#say(smallList(found));
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const lists = this.#opened();
    const last = await lastChanges(changes, lists, now);
    const found = [...last.changes.values()].flatMap((change) => {
      const list = lists.get(change.target);
      if (list === undefined) return [];
      if (!isHost(change.prefix)) return change.kind === "ban" ? refused(change, hostsOnly(list)) : [];
      return change.kind === "ban" ? add(list, change) : remove(list, change);
    });
    return [...last.refusals, ...found];
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const lists = this.#opened();
    const last = await lastChanges(bans, lists, now);
    const running = [...last.changes.values()].filter(({ kind }) => kind === "ban");
    // A list that is too small forgets the bans that end first.
    const inOrder = running.toSorted((a, b) => endOf(a) - endOf(b));
    const refusals = [...last.refusals];
    for (const [target, list] of lists) {
      const ours = inOrder.filter((ban) => ban.target === target);
      const networks = ours.filter(({ prefix }) => !isHost(prefix));
      const hosts = ours.filter(({ prefix }) => isHost(prefix));
      refusals.push(
        ...networks.map((ban) => refused(ban, hostsOnly(list))),
        ...(await rewrite(list, target, hosts)),
      );
    }
    for (const list of this.#gone.splice(0)) empty(list);
    return refusals;
  }

  /** The kernel does not know when bans end. */
  async list(): Promise<readonly Enforced[]> {
    return [...this.#opened()].flatMap(([target, { file }]) =>
      file.read().map((text) => ({ prefix: prefixOf(text), target, until: null })),
    );
  }

  /** Reads the lists: who was evicted by a rule of the operator's, or deleted by hand, is missing. */
  async missing(): Promise<string | null> {
    for (const list of this.#lists?.values() ?? []) {
      const fact = list.file.missing() ?? lossIn(list);
      if (fact !== null) return fact;
    }
    return null;
  }

  /** As a good line of banban does: rules of the operator and other programs enter addresses, too. */
  forget(prefix: Prefix): void {
    const address = formatAddress(prefix.address);
    for (const { file, order } of this.#lists?.values() ?? [])
      if (!order.has(address)) file.write(`-${address}`);
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    try {
      if (flush) for (const list of this.#lists?.values() ?? []) clear(list);
    } finally {
      this.#release();
    }
  }

  #opened(): ReadonlyMap<string, List> {
    if (this.#lists === null) throw new StoplogError("Cannot change bans: recent is not open");
    return this.#lists;
  }

  #release(): void {
    for (const { file } of [...(this.#lists?.values() ?? []), ...this.#gone.splice(0)]) file.close();
    this.#lists = null;
  }
}

function empty(list: List): void {
  clear(list);
  list.file.close();
}

/** A list that is gone has nothing to remove. */
function clear({ file }: List): void {
  if (file.missing() === null) file.write("/");
}

interface List {
  readonly name: string;
  readonly file: ListFile;
  readonly capacity: number;
  /** The addresses in it, oldest first. */
  order: BoundedMap<string, true>;
}

/** Our addresses that are not in the list any more, as a fact; null for none. */
function lossIn({ file, order, name }: List): string | null {
  const there = new Set(file.read().map(canonical));
  let first: string | null = null;
  let gone = 0;
  for (const [address] of order.entries()) {
    if (there.has(address)) continue;
    first ??= address;
    gone++;
  }
  if (first === null) return null;
  const more = gone > 1 ? ` and ${gone - 1} more` : "";
  return `another program removed ${first}${more} from the list ${name}, or the list had no room for it`;
}

function orderOf(file: ListFile, capacity: number): BoundedMap<string, true> {
  const order = new BoundedMap<string, true>(capacity);
  for (const address of file.read()) order.set(canonical(address), true);
  return order;
}

/** In a smaller list a flood pushes out addresses that were just banned. */
const SMALL = 10_000;

function smallList(capacity: number): string {
  return `Lists of xt_recent hold ${capacity} addresses and forget the rest: write 'options xt_recent ip_list_tot=65536' to /etc/modprobe.d/xt_recent.conf and load the module again`;
}

function refuseShared(targets: readonly RecentTarget[]): void {
  const lists = targets.map(({ list }) => list);
  const twice = lists.find((list, i) => lists.indexOf(list) !== i);
  if (twice !== undefined)
    throw new StoplogError(
      `Cannot use the list ${twice}: it is named twice, and one use would remove the other's bans`,
    );
}

function hostsOnly({ name }: List): string {
  return `the list ${name} holds single addresses only`;
}

function open(target: RecentTarget): ListFile {
  try {
    return openListFile(target.list);
  } catch (error) {
    const rules = recentRules(target).join("; ");
    throw new StoplogError(
      `Cannot use the list ${target.list}: ${factOf(error)}; it exists while a rule names it, such as: ${rules}`,
    );
  }
}

/** Makes the list hold exactly these bans, a thousand in each turn of the event loop. Addresses that stay are never missing. */
async function rewrite(list: List, target: string, bans: readonly Enforcement[]): Promise<Refusal[]> {
  const tooMany = Math.max(0, bans.length - list.capacity);
  const refusals = bans.slice(0, tooMany).map((ban) => full(list, ban));
  const fitting = bans.slice(tooMany);
  const addresses = new Set(fitting.map(({ prefix }) => formatAddress(prefix.address)));
  list.order = orderOf(list.file, list.capacity);
  let written = 0;
  const oneMore = async (): Promise<void> => {
    if (++written % AT_ONCE === 0) await nextTurn();
  };
  for (const [address] of list.order.entries()) {
    if (addresses.has(address)) continue;
    refusals.push(...remove(list, { prefix: prefixOf(address), target }));
    await oneMore();
  }
  for (const ban of fitting) {
    refusals.push(...add(list, ban));
    await oneMore();
  }
  return refusals;
}

const AT_ONCE = 1000;

function add(list: List, { prefix, target }: Enforcement): Refusal[] {
  const address = formatAddress(prefix.address);
  // The kernel would forget another address without a word. The reconciler chooses which ban makes room.
  if (list.order.isFull && !list.order.has(address)) return [full(list, { prefix, target })];
  const fact = list.file.write(`+${address}`);
  if (fact !== null) return [refused({ prefix, target }, fact)];
  list.order.set(address, true);
  return [];
}

function remove(list: List, { prefix, target }: Pick<Enforcement, "prefix" | "target">): Refusal[] {
  const address = formatAddress(prefix.address);
  list.order.delete(address);
  const fact = list.file.write(`-${address}`);
  return fact === null ? [] : [refused({ prefix, target, kind: "unban" }, fact)];
}

function full({ name, capacity }: List, ban: Pick<Enforcement, "prefix" | "target">): Refusal {
  return refused(ban, `the list ${name} is full with ${capacity} addresses`, "full");
}

function endOf(change: Enforcement): Instant {
  return change.kind === "ban" ? change.until : 0;
}

/** The kernel prints IPv6 addresses without `::`. A list is read every second, so IPv4 addresses, which are as we write them, are not parsed. */
function canonical(text: string): string {
  return text.includes(":") ? formatPrefix(prefixOf(text)) : text;
}

function prefixOf(text: string): Prefix {
  const address = parseAddress(text);
  if (address === null) throw new StoplogError(`Cannot read the list: ${text} is not an address`);
  return hostPrefix(address);
}
