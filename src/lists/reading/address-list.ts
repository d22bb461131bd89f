import { type Address, isV4 } from "../../core/address.ts";
import { cannot, factOf, StoplogError } from "../../core/errors.ts";
import { type AddressRanges, rangeAt } from "../../core/ranges.ts";
import type { Duration, Instant } from "../../core/time.ts";
import { inTurns } from "../../core/turns.ts";
import {
  checkList,
  type CheckedList,
  type ListSize,
  type SwayBounds,
  swayFault,
  type TakenOut,
} from "./check-list.ts";
import { FileOrigin } from "./file-origin.ts";
import type { KeptCopies } from "./kept-copy.ts";
import { readListFiles } from "./list-files.ts";
import type { ListOrigin, Taken } from "./origin.ts";
import type { ListBounds } from "./parse-list.ts";
import type { Remarks } from "./remarks.ts";
import type { SpecialNetwork } from "../../core/special-purpose.ts";
import { UrlOrigin } from "./url-origin.ts";

export interface ListOptions {
  readonly name: string;
  readonly from:
    | { readonly kind: "files"; readonly path: string }
    | {
        readonly kind: "url";
        readonly url: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly interval: Duration;
      };
  readonly bounds: ListBounds;
  readonly sway: SwayBounds;
}

export interface ListContext {
  readonly copies: KeptCopies;
  readonly userAgent: string;
  /** The networks that no list may contain at present. */
  readonly exempt: () => Iterable<SpecialNetwork>;
  /** Enforces the list. */
  readonly apply: (ranges: AddressRanges) => Promise<unknown>;
  readonly say: (news: ListNews) => void;
}

/** What happened to a list, for the log. */
export type ListNews =
  | { readonly kind: "loaded"; readonly size: ListSize; readonly reading: Reading }
  | { readonly kind: "held"; readonly fact: string }
  /** `Cannot …`, or a fact about the list. */
  | { readonly kind: "trouble"; readonly fact: string };

/** Entries that were changed or skipped. */
export interface Reading {
  readonly remarks: Remarks;
  /** Entries over the bound. */
  readonly over: number;
  readonly takenOut: readonly TakenOut[];
}

/** A list as `status` shows it. */
export interface ListState {
  readonly name: string;
  readonly state: string;
  /** Networks that are enforced. */
  readonly networks: number;
  readonly changedAt: Instant | null;
  /** Why a newer version waits to be released; null when none does. */
  readonly held: string | null;
  /** The last failure; null after a success. */
  readonly trouble: string | null;
  /** The report on the version that is enforced; null when none was loaded since the start. */
  readonly reading: Reading | null;
}

/**
 * One list, from its origin to the kernel: read, checked, and held back or applied. The last good version stays in use until another
 * was applied.
 */
export class AddressList {
  readonly name: string;
  readonly #options: ListOptions;
  readonly #context: ListContext;
  readonly #origin: ListOrigin;
  #used: Used | null = null;
  #held: { readonly files: readonly string[]; readonly fact: string; readonly listed: ListSize } | null =
    null;
  /** Good files that could not be enforced. */
  #missed: readonly string[] | null = null;
  #trouble: string | null = null;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: ListOptions, context: ListContext) {
    const { name, from, bounds } = options;
    this.name = name;
    this.#options = options;
    this.#context = context;
    const { copies, userAgent } = context;
    this.#origin =
      from.kind === "files"
        ? new FileOrigin(from.path, (fact) => this.#note(fact))
        : new UrlOrigin({ ...from, name, userAgent, maxBytes: bounds.bytes }, copies, {
            warn: (fact) => this.#note(`Cannot fetch the list ${name}: ${fact}`),
            unchanged: () => this.#recovered(),
          });
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#origin.run(
        (files, settle) =>
          this.#serially(async () => {
            const taken = await this.#offered(files, signal);
            settle?.(taken);
            return taken;
          }),
        signal,
      );
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    }
    await this.#work;
  }

  /** Reads and checks the version in use again: exempt networks have changed. */
  recheck(signal: AbortSignal): Promise<void> {
    return this.#serially(async () => {
      if (this.#used === null) return;
      if ((await this.#offered(this.#used.files, signal)) !== "taken") await this.#cut(this.#used, signal);
    });
  }

  /** Enforces the version in use again after a loss, and then any newer one that could not be enforced meanwhile. */
  async reapply(signal: AbortSignal): Promise<void> {
    await this.#serially(async () => {
      if (this.#used !== null) await this.#context.apply(this.#used.checked.ranges);
    });
    await this.retry(signal);
  }

  /** Tries again to enforce a version that could not be enforced. */
  retry(signal: AbortSignal): Promise<void> {
    return this.#serially(async () => {
      if (this.#missed !== null) await this.#offered(this.#missed, signal);
    });
  }

  /** Applies the version that is held back. False when none is. Rejects with a StoplogError when its files have changed since. */
  release(signal: AbortSignal): Promise<boolean> {
    return this.#serially(async () => {
      if (this.#held === null) return false;
      const { files, listed } = this.#held;
      const loaded = await this.#read(files, signal);
      const sway = { ...this.#options.sway, cover: Number.POSITIVE_INFINITY };
      const fact = swayFault(loaded.checked.listed, listed, sway);
      if (fact !== null)
        throw new StoplogError(`Cannot release the list ${this.name}: since it was held ${fact}`);
      await this.#use(loaded, files);
      this.#origin.released();
      return true;
    });
  }

  /** Whether an address is on the version in use. */
  has(address: Address): boolean {
    const ranges = this.#used?.checked.ranges;
    return ranges !== undefined && rangeAt(isV4(address) ? ranges.v4 : ranges.v6, address) >= 0;
  }

  get state(): ListState {
    const used = this.#used;
    return {
      name: this.name,
      state: this.#origin.state,
      networks: used?.checked.size.networks ?? 0,
      changedAt: used?.at ?? null,
      held: this.#held?.fact ?? null,
      trouble: this.#trouble,
      reading: used?.reading ?? null,
    };
  }

  async #offered(files: readonly string[], signal: AbortSignal): Promise<Taken> {
    this.#missed = null;
    try {
      const loaded = await this.#read(files, signal);
      const before = this.#used?.checked.listed ?? this.#context.copies.read(this.name, Date.now()).listed;
      const fact = swayFault(loaded.checked.listed, before, this.#options.sway);
      if (fact !== null) {
        const place =
          this.#options.from.kind === "url" ? [this.#context.copies.path(this.name, "held")] : files;
        this.#held = { files: place, fact, listed: loaded.checked.listed };
        this.#context.say({ kind: "held", fact });
        return "held";
      }
      await this.#use(loaded, files).catch((thrown: unknown) => {
        this.#missed = this.#place(files);
        this.#fail(thrown, signal);
      });
      return "taken";
    } catch (thrown) {
      this.#fail(thrown, signal);
      return "refused";
    }
  }

  async #read(files: readonly string[], signal: AbortSignal): Promise<Loaded> {
    const list = await readListFiles(files, this.#options.bounds, signal);
    const { malformed } = list.remarks.counts;
    const checked = await inTurns(checkList(list, this.#context.exempt()), signal);
    // Most likely an error page in HTML.
    if (checked.listed.networks === 0 && malformed > 0) {
      const [first] = list.remarks.told;
      const line = first === undefined ? "" : `, the first of which is ${JSON.stringify(first.text)}`;
      throw new StoplogError(
        `Cannot use the list ${this.name}: none of its ${malformed} lines could be read${line}`,
      );
    }
    return { reading: { remarks: list.remarks, over: list.over, takenOut: checked.takenOut }, checked };
  }

  async #use({ reading, checked }: Loaded, files: readonly string[]): Promise<void> {
    await this.#context.apply(checked.ranges);
    this.#used = { reading, checked, files: this.#place(files), at: Date.now() };
    this.#held = null;
    this.#trouble = null;
    this.#remember(checked.listed);
    this.#context.say({ kind: "loaded", size: checked.size, reading });
  }

  /** The files of an applied version: a fetched one is moved there. */
  #place(files: readonly string[]): readonly string[] {
    return this.#options.from.kind === "url" ? [this.#context.copies.path(this.name, "list")] : files;
  }

  /** Removes exempt networks from the version in use, when its files have changed since they were read. */
  async #cut(used: Used, signal: AbortSignal): Promise<void> {
    const { ranges, takenOut, size } = await inTurns(
      checkList(used.checked.ranges, this.#context.exempt()),
      signal,
    );
    if (takenOut.length === 0) return;
    await this.#context.apply(ranges);
    const reading = { ...used.reading, takenOut: [...used.reading.takenOut, ...takenOut] };
    this.#used = { ...used, reading, checked: { ...used.checked, ranges, takenOut, size } };
  }

  #remember(listed: ListSize): void {
    const { copies } = this.#context;
    try {
      copies.write(this.name, { ...copies.read(this.name, Date.now()), listed });
    } catch (thrown) {
      this.#note(`Cannot save the state of the list ${this.name}: ${factOf(thrown)}`);
    }
  }

  /** Reports a failure. Throws after an abort, which is not one. */
  #fail(thrown: unknown, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.#note(
      thrown instanceof StoplogError ? thrown.message : cannot(`load the list ${this.name}`, thrown).message,
    );
  }

  /** The version in use is the newest. A version that could not be enforced is still a trouble. */
  #recovered(): void {
    if (this.#missed === null) this.#trouble = null;
  }

  #note(fact: string): void {
    this.#trouble = fact;
    this.#context.say({ kind: "trouble", fact });
  }

  #serially<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#work.then(task, task);
    this.#work = mine.catch(() => {});
    return mine;
  }
}

interface Loaded {
  readonly reading: Reading;
  readonly checked: CheckedList;
}

interface Used extends Loaded {
  readonly files: readonly string[];
  readonly at: Instant;
}
