import { mkdir } from "node:fs/promises";
import { cannot } from "../core/errors.ts";
import { ownUsers } from "../core/own-users.ts";
import { pathParts } from "../core/path-parts.ts";
import { openingWords, whoCanWrite } from "../core/who-can-write.ts";
import type { Feature } from "./feature.ts";

/** Creates the state directory, before anything is opened. Warns when other users can change what is in it. */
export class StateDirectory implements Feature {
  readonly name = "the state directory";
  readonly #path: string;
  readonly #warn: (sentence: string) => void;
  #warnings: readonly string[] = [];

  constructor(path: string, warn: (sentence: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  async follow(): Promise<void> {
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
      this.#warnings = warningsOf(this.#path);
    } catch (error) {
      throw cannot(`keep state in ${this.#path}`, error);
    }
    for (const sentence of this.#warnings) this.#warn(sentence);
  }

  warnings(): readonly string[] {
    return this.#warnings;
  }
}

/** At most one. The next start takes bans, read positions and counters from there. */
function warningsOf(path: string): readonly string[] {
  const [first] = whoCanWrite(pathParts(path), ownUsers());
  return first === undefined ? [] : [`State directory ${path}: ${openingWords(path, first)}`];
}
