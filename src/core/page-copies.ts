/**
 * The slots of a table as of one moment, read later and piece by piece while the table goes on changing. A page of slots is copied when its turn
 * comes, or before its first change:
 *
 *      pages     [ read | read | copied | – | – | copied | – ]
 *                                └ next
 *
 * Costs almost nothing at the start. In the worst case every page is copied before it is read: as much memory as the table has.
 */
export class PageCopies<Page> {
  readonly #slots: number;
  readonly #copy: (from: number, to: number) => Page;
  readonly #copies: (Page | null)[];
  /** The first page that was not read. */
  #next = 0;

  /** `copy` copies the slots from `from` to below `to`, as they are now. */
  constructor(slots: number, copy: (from: number, to: number) => Page) {
    this.#slots = slots;
    this.#copy = copy;
    this.#copies = Array.from({ length: Math.ceil(slots / PAGE) }, () => null);
  }

  /** Call before a slot changes. */
  beforeChange(slot: number): void {
    if (slot >= this.#slots) return;
    const n = slot >>> PAGE_BITS;
    if (n >= this.#next) this.#copies[n] ??= this.#copyPage(n);
  }

  /** The next page; null after the last. */
  take(): Page | null {
    const n = this.#next;
    if (n >= this.#copies.length) return null;
    const page = this.#copies[n] ?? this.#copyPage(n);
    this.#next++;
    this.#copies[n] = null;
    return page;
  }

  /** Drops what was not read. */
  release(): void {
    this.#next = this.#copies.length;
    this.#copies.fill(null);
  }

  #copyPage(n: number): Page {
    return this.#copy(n << PAGE_BITS, Math.min((n + 1) << PAGE_BITS, this.#slots));
  }
}

/** Slots of a page: a copy takes some microseconds. */
const PAGE_BITS = 9;
const PAGE = 1 << PAGE_BITS;
