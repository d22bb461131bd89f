import { excerpt } from "../core/printable.ts";

/** Text of a file as an error message quotes it. */
export function shorten(text: string): string {
  return excerpt(text, 60);
}
