import { mkdir } from "node:fs/promises";
import { cannot } from "../core/errors.ts";
import type { Feature } from "./feature.ts";

/** Creates the state directory, before anything is opened. */
export class StateDirectory implements Feature {
  readonly name = "the state directory";
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async follow(): Promise<void> {
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw cannot(`keep state in ${this.#path}`, error);
    }
  }
}
