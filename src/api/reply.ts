/** What is answered: a document, a long array that is written piece by piece, or events for as long as the asker listens. */
export type Reply =
  | { readonly kind: "document"; readonly status: number; readonly document: unknown }
  | { readonly kind: "items"; readonly status: number; readonly items: Iterable<unknown> }
  | { readonly kind: "stream"; readonly events: (signal: AbortSignal) => AsyncIterable<string> };

export function done(document: unknown): Reply {
  return { kind: "document", status: 200, document };
}

/** `{ error: sentence }` */
export function failure(status: number, error: string): Reply {
  return { kind: "document", status, document: { error } };
}
