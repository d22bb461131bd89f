/** A value of fail2ban's protocol, as Python has it. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | Tuple
  | ReadonlyMap<string | number, Plain>;

/** Python tells tuples from lists, and fail2ban's client prints some replies only as tuples. */
export class Tuple {
  readonly items: readonly Plain[];

  constructor(items: readonly Plain[]) {
    this.items = items;
  }
}

/** An exception of Python's or fail2ban's, which fail2ban's client recognizes by its class. */
export interface Exception {
  readonly type: ExceptionType;
  readonly args: readonly Plain[];
}

export type ExceptionType = "Exception" | "IndexError" | "ValueError" | "UnknownJailException";

/** The answer to a command: `(0, value)` or `(1, exception)`. */
export type Answer = { readonly value: Plain } | { readonly exception: Exception };

/** For JSON: a tuple as a list, a dictionary as an object. */
export function jsonOf(value: Plain): unknown {
  if (value instanceof Tuple) return value.items.map(jsonOf);
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, part]) => [key, jsonOf(part as Plain)]));
  return Array.isArray(value) ? value.map(jsonOf) : value;
}
