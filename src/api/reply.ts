/** A document, a text, a long list that is written piece by piece, or events until the client goes away. */
export type Reply =
  | { readonly kind: "document"; readonly status: number; readonly document: unknown }
  | { readonly kind: "text"; readonly type: string; readonly text: string }
  /** As an array, or a value a line (NDJSON). */
  | { readonly kind: "items"; readonly as: "array" | "lines"; readonly items: Iterable<unknown> }
  | { readonly kind: "stream"; readonly events: (signal: AbortSignal) => AsyncIterable<string> };

/** An array in JSON, or NDJSON for a client that accepts it: a million values are read more easily line by line. */
export function items(values: Iterable<unknown>, accept: string): Reply {
  return { kind: "items", as: accept.includes("application/x-ndjson") ? "lines" : "array", items: values };
}

export function done(document: unknown): Reply {
  return { kind: "document", status: 200, document };
}

/** `{ error: sentence }` */
export function failure(status: number, error: string): Reply {
  return { kind: "document", status, document: { error } };
}
