/** An answer: a document, a text, a long list written piece by piece, or events until the client closes. */
export type Reply =
  | { readonly kind: "document"; readonly status: number; readonly document: unknown }
  | { readonly kind: "text"; readonly type: string; readonly text: string }
  | { readonly kind: "items"; readonly status: number; readonly items: Iterable<unknown> }
  | { readonly kind: "stream"; readonly events: (signal: AbortSignal) => AsyncIterable<string> };

export function done(document: unknown): Reply {
  return { kind: "document", status: 200, document };
}

/** `{ error: sentence }` */
export function failure(status: number, error: string): Reply {
  return { kind: "document", status, document: { error } };
}
