import { ChangingPrefixes } from "../../jail/ignore.ts";
import { readIgnoreFile, signatureOf, unreadable } from "./ignore-file.ts";

/** A file of `ignoreip`. What it said last stays while it is missing or unreadable. */
export class IgnoredFile {
  readonly addresses = new ChangingPrefixes();
  remarks: readonly string[] = [];
  /** Entries that cannot be used. */
  bad = 0;
  failed = 0;
  trouble: string | null = null;
  readonly #path: string;
  #signature: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the file again when it has changed, or could not be read. */
  look(): void {
    const path = this.#path;
    try {
      const signature = signatureOf(path);
      if (signature !== null && signature === this.#signature) return;
      const { prefixes, remarks, bad } = readIgnoreFile(path);
      this.addresses.replace(prefixes);
      this.remarks = remarks;
      this.bad = bad;
      this.#signature = signature;
      this.trouble = null;
    } catch (thrown) {
      this.#signature = null;
      // Looked at once a second: counted once.
      if (this.trouble === null) this.failed++;
      this.trouble = unreadable(path, thrown);
    }
  }
}
