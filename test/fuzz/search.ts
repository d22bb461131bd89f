import { Random } from "../torture/random.ts";
import { mutated } from "./mutate.ts";
import { isSentence, type Parser } from "./parsers.ts";

/** What a search found out about one reader. */
export interface Searched {
  readonly tried: number;
  readonly failure: { readonly input: Buffer; readonly thrown: unknown } | null;
  /** The slowest input, and how long it took, in ms. */
  readonly slowest: { readonly input: Buffer; readonly took: number };
}

/** Gives a reader mutated samples for so many milliseconds. Ends at the first failure. */
export function search({ samples, read }: Parser, milliseconds: number, seed: number): Searched {
  const random = new Random(seed);
  const until = performance.now() + milliseconds;
  let slowest: Searched["slowest"] = { input: Buffer.alloc(0), took: 0 };
  for (let tried = 1; ; tried++) {
    const input = tried <= samples.length ? samples[tried - 1]! : mutated(samples, random);
    const before = performance.now();
    try {
      read(input);
    } catch (thrown) {
      if (!isSentence(thrown)) return { tried, failure: { input, thrown }, slowest };
    }
    const after = performance.now();
    if (after - before > slowest.took) slowest = { input, took: after - before };
    if (after >= until && tried >= samples.length) return { tried, failure: null, slowest };
  }
}
