import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
import type { Random } from "./random.ts";

/**
 * Writes failures of new addresses to a log, some thousand lines a second. Every second address fails as often as a ban needs, the others once less:
 * a line that is counted twice bans one of them, and a line that is lost spares one that must be banned. The lines of an address
 * are spread over the lines of some hundred others.
 */
export class LogWriter {
  readonly #path: string;
  readonly #random: Random;
  readonly #maxretry: number;
  /** Addresses whose lines are not all written yet. */
  readonly #open: { readonly address: string; left: number }[] = [];
  readonly #guilty: string[] = [];
  readonly #innocent: string[] = [];
  #next: number;
  #timer: NodeJS.Timeout | null = null;

  /** `first` is the number of the first address within 10.0.0.0/8. Without `append` the file begins empty. */
  constructor(
    path: string,
    first: number,
    { maxretry, random, append = false }: { maxretry: number; random: Random; append?: boolean },
  ) {
    this.#path = path;
    this.#next = first;
    this.#maxretry = maxretry;
    this.#random = random;
    if (!append) writeFileSync(path, "");
  }

  /** Every line of these is written, and they failed `maxretry` times. */
  get guilty(): readonly string[] {
    return this.#guilty;
  }

  /** Every line of these is written, and they failed once less. */
  get innocent(): readonly string[] {
    return this.#innocent;
  }

  start(linesPerSecond: number): void {
    let due = 0;
    let last = performance.now();
    this.#timer = setInterval(() => {
      due += ((performance.now() - last) / 1000) * linesPerSecond;
      last = performance.now();
      const lines = Math.min(Math.floor(due), MOST_AT_ONCE);
      due -= Math.floor(due);
      if (lines > 0) appendFileSync(this.#path, Array.from({ length: lines }, () => this.#line()).join(""));
    }, 10);
  }

  /** Writes the remaining lines of all addresses, and no new ones. */
  finish(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const lines: string[] = [];
    while (this.#open.length > 0) lines.push(this.#lineOf(this.#random.below(this.#open.length)));
    appendFileSync(this.#path, lines.join(""));
  }

  /** As logrotate does: `log` becomes `log.1`, that one `log.2`, and so on; a new file is made. */
  rotate(): void {
    let last = 1;
    while (existsSync(`${this.#path}.${last}`)) last++;
    for (let n = last; n > 1; n--) renameSync(`${this.#path}.${n - 1}`, `${this.#path}.${n}`);
    renameSync(this.#path, `${this.#path}.1`);
    writeFileSync(this.#path, "");
  }

  #line(): string {
    while (this.#open.length < AT_ONCE) {
      const n = this.#next++;
      const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
      this.#open.push({ address, left: n % 2 === 0 ? this.#maxretry : this.#maxretry - 1 });
    }
    return this.#lineOf(this.#random.below(this.#open.length));
  }

  #lineOf(index: number): string {
    const one = this.#open[index];
    if (one === undefined) throw new Error("there is no such address");
    if (--one.left === 0) {
      this.#open.splice(index, 1);
      const isGuilty = Number(one.address.slice(one.address.lastIndexOf(".") + 1)) % 2 === 0;
      (isGuilty ? this.#guilty : this.#innocent).push(one.address);
    }
    return `failed login from ${one.address}\n`;
  }
}

const AT_ONCE = 300;
/** After a pause of this process, it writes less than is due: otherwise the flood would come in bursts. */
const MOST_AT_ONCE = 500;
