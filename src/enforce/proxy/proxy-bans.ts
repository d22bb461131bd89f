import { cannot, factOf, StoplogError } from "../../core/errors.ts";
import { formatPrefix, isHost } from "../../core/prefix.ts";
import { runProgram } from "../../core/run-program.ts";
import type { Duration } from "../../core/time.ts";
import type { Enforcement, Refusal } from "../enforcer.ts";
import { refused } from "../last-changes.ts";
import { BanFile } from "./ban-file.ts";
import { type Format, FORMATS } from "./formats.ts";
import type { ProxyTarget } from "./kind.ts";
import { Paced } from "./paced.ts";
import { type RuntimeChange, RuntimeSocket } from "./runtime-socket.ts";

export interface ProxyBansOptions {
  readonly capacity: number;
  /** Least time between two writes of the file. */
  readonly writeEvery: Duration;
  /** Takes a fact when a write or a reload failed that no call waits for. */
  readonly onLost: (fact: string) => void;
}

/**
 * The bans of one target in one file.
 *
 *      ban ─► prefixes ─► file, at most once a second ─► reload, at most once in `reload_every`
 *                     └─► HAProxy's runtime socket, at once
 */
export class ProxyBans {
  readonly target: ProxyTarget;
  readonly #options: ProxyBansOptions;
  readonly #file: BanFile;
  readonly #format: Format;
  readonly #socket: RuntimeSocket | null;
  readonly #writes: Paced;
  readonly #reloads: Paced | null;
  /** False until the first `replace`: what `open` writes changes again in a moment. */
  #mayReload = false;
  /** Whether there was ever a ban. */
  #hasHeld = false;
  /** Whether `reload` began after the last write. */
  #isReloaded = false;
  /** HAProxy, as it was when it held our bans; null when that is not known. */
  #fingerprint: string | null = null;

  /** Throws a StoplogError when the file cannot be used. */
  constructor(target: ProxyTarget, options: ProxyBansOptions) {
    this.target = target;
    this.#options = options;
    this.#file = new BanFile(target);
    this.#format = FORMATS[target.format];
    const { socket, path: file, timeout } = target;
    const { haproxy: kind } = this.#format;
    this.#socket =
      socket === null || kind === null ? null : new RuntimeSocket({ path: socket, kind, file, timeout });
    const failed = (thrown: unknown): void => options.onLost(factOf(thrown));
    this.#writes = new Paced(() => this.#write(), options.writeEvery, failed);
    const { reload } = target;
    this.#reloads =
      reload === null ? null : new Paced(() => this.#reload(reload), target.reloadEvery, failed);
  }

  /** The banned prefixes, as text. */
  get prefixes(): ReadonlySet<string> {
    return this.#file.prefixes;
  }

  /** Writes the bans that are there: that shows whether the file can be written. */
  open(): Promise<void> {
    this.#writes.request();
    return this.#writes.settled();
  }

  /** Bans and unbans. The file follows within a second. */
  async apply(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    const made: Enforcement[] = [];
    for (const change of changes) {
      const text = formatPrefix(change.prefix);
      const isHeld = this.prefixes.has(text);
      if (isHeld === (change.kind === "ban")) continue;
      const refusal = change.kind === "ban" ? this.#refusalOf(change) : null;
      if (refusal !== null) {
        refusals.push(refusal);
        continue;
      }
      if (change.kind === "ban") this.#hold(text);
      else this.#file.prefixes.delete(text);
      made.push(change);
    }
    if (made.length === 0) return refusals;
    this.#writes.request();
    return [...refusals, ...(await this.#tellHaproxy(made))];
  }

  /** Holds these bans and no others; resolves when the proxy has them. */
  async replace(bans: readonly Enforcement[]): Promise<readonly Refusal[]> {
    const desired = new Set(bans.map(({ prefix }) => formatPrefix(prefix)));
    let isChanged = !this.#file.isUntouched;
    for (const prefix of this.prefixes) {
      if (desired.has(prefix)) continue;
      this.#file.prefixes.delete(prefix);
      isChanged = true;
    }
    const refusals: Refusal[] = [];
    for (const ban of bans) {
      const text = formatPrefix(ban.prefix);
      if (this.prefixes.has(text)) continue;
      const refusal = this.#refusalOf(ban);
      if (refusal !== null) refusals.push(refusal);
      else {
        this.#hold(text);
        isChanged = true;
      }
    }
    if (isChanged) this.#writes.request();
    await this.#writes.settled();
    this.#mayReload = true;
    if (!this.#isReloaded) this.#reloads?.request();
    await this.#reloads?.settled();
    await this.#bringHaproxyInStep();
    return refusals;
  }

  /** Null, or what another program changed. */
  async missing(): Promise<string | null> {
    const { path } = this.target;
    await this.#writes.settled();
    if (!this.#file.isUntouched) return `another program changed or removed ${path}`;
    if (this.#socket === null || this.#fingerprint === null) return null;
    return (await this.#socket.fingerprint()) === this.#fingerprint
      ? null
      : `HAProxy was started again, or lost bans of ${path}`;
  }

  /** Waits for the last write and reload, without pauses. With `flush` the file is empty afterwards. */
  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    if (flush) await this.#empty();
    await this.#writes.finish();
    await this.#reloads?.finish();
    if (flush && !this.#hasHeld) await this.#file.removeIfUnused();
  }

  #hold(text: string): void {
    this.#hasHeld = true;
    this.#file.prefixes.add(text);
  }

  async #empty(): Promise<void> {
    this.#file.prefixes.clear();
    this.#writes.request();
    await this.#writes.finish();
    await this.#bringHaproxyInStep();
  }

  #refusalOf(ban: Enforcement): Refusal | null {
    const { format, path } = this.target;
    if (!this.#format.networks && !isHost(ban.prefix))
      return refused(ban, `${format} holds single addresses only`);
    const { capacity } = this.#options;
    return this.prefixes.size < capacity ? null : refused(ban, `${path} holds ${capacity} bans`, "full");
  }

  async #write(): Promise<void> {
    await this.#file.write();
    this.#isReloaded = false;
    if (this.#mayReload) this.#reloads?.request();
  }

  async #reload(program: readonly string[]): Promise<void> {
    const { timeout, name } = this.target;
    // Before the run: what is written while it runs asks for one more.
    this.#isReloaded = true;
    const { fact } = await runProgram(program, { timeout });
    if (fact === null) return;
    this.#isReloaded = false;
    throw new StoplogError(`Cannot reload the proxy of target ${name}: ${fact}`);
  }

  async #tellHaproxy(made: readonly Enforcement[]): Promise<readonly Refusal[]> {
    if (this.#socket === null) return [];
    this.#fingerprint = null;
    const failures = await this.#socket.change(
      made.map(({ kind, prefix }) => ({
        kind: kind === "ban" ? "add" : "del",
        prefix: formatPrefix(prefix),
      })),
    );
    const refusals = failures.map(({ place, fact }) => refused(made[place] as Enforcement, fact));
    for (const { prefix } of refusals) this.#file.prefixes.delete(formatPrefix(prefix));
    this.#fingerprint = await this.#socket.fingerprint();
    return refusals;
  }

  /** HAProxy forgets what the socket told it when it is reloaded, and reads the file, which may be a second old. */
  async #bringHaproxyInStep(): Promise<void> {
    if (this.#socket === null) return;
    const held = new Map<string, number>();
    for (const prefix of await this.#socket.list()) held.set(prefix, (held.get(prefix) ?? 0) + 1);
    const changes: RuntimeChange[] = [];
    for (const [prefix, times] of held)
      if (times > 1 || !this.prefixes.has(prefix)) changes.push({ kind: "del", prefix });
    for (const prefix of this.prefixes) if (held.get(prefix) !== 1) changes.push({ kind: "add", prefix });
    const [first] = await this.#socket.change(changes);
    if (first !== undefined)
      throw cannot(`ban ${changes[first.place]?.prefix} at ${this.target.name}`, first.fact);
    this.#fingerprint = await this.#socket.fingerprint();
  }
}
