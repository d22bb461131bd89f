import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Reply } from "./reply.ts";

/** Bytes that bodies may still take in memory, of all requests that share it. */
export interface BodyRoom {
  left: number;
}

/** A body, to be released when it is no longer needed; or why it was not kept. */
export type ReadBody =
  | { readonly kind: "read"; readonly bytes: Buffer; readonly release: () => void }
  | { readonly kind: "too long" | "no room" | "broken off" };

/** Reads a body of at most `most` bytes. The rest of a long one is read and discarded, within the time limit of a request. */
export async function readBody(
  request: IncomingMessage,
  most: number,
  room: BodyRoom = { left: most },
): Promise<ReadBody> {
  let chunks: Buffer[] = [];
  let size = 0;
  let held = 0;
  let refused: "too long" | "no room" | null = null;
  const release = (): void => {
    room.left += held;
    held = 0;
    chunks = [];
  };
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) refused ??= "too long";
      else if (chunk.length > room.left) refused ??= "no room";
      if (refused !== null) {
        release();
        continue;
      }
      room.left -= chunk.length;
      held += chunk.length;
      chunks.push(chunk);
    }
  } catch {
    release();
    return { kind: "broken off" };
  }
  return refused === null ? { kind: "read", bytes: Buffer.concat(chunks), release } : { kind: refused };
}

/** Writes a reply as fast as the client reads it. */
export async function send(response: ServerResponse, reply: Reply): Promise<void> {
  const gone = new AbortController();
  // The socket's close event: a reply queued behind another on its connection gets none of its own.
  const { socket } = response.req;
  const end = (): void => gone.abort();
  socket.on("close", end);
  if (socket.destroyed) end();
  response.writeHead(reply.kind === "document" ? reply.status : 200, headersOf(reply));
  try {
    for await (const piece of piecesOf(reply, gone.signal)) {
      if (gone.signal.aborted) return;
      if (!response.write(piece)) await drained(response, gone.signal);
    }
  } finally {
    socket.off("close", end);
    response.end();
  }
}

function headersOf(reply: Reply): OutgoingHttpHeaders {
  if (reply.kind === "stream") return { "content-type": "text/event-stream", "cache-control": "no-store" };
  if (reply.kind === "text") return { "content-type": reply.type };
  const isLines = reply.kind === "items" && reply.as === "lines";
  return { "content-type": isLines ? "application/x-ndjson" : "application/json" };
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      gone.removeEventListener("abort", done);
      resolve();
    };
    response.on("drain", done);
    gone.addEventListener("abort", done);
    if (gone.aborted) done();
  });
}

/** Writes a long list in pieces, with a turn of the event loop between them: a million bans neither fill the memory nor block it. */
async function* piecesOf(reply: Reply, signal: AbortSignal): AsyncGenerator<string> {
  if (reply.kind === "document") {
    yield JSON.stringify(reply.document);
    return;
  }
  if (reply.kind === "text") {
    yield reply.text;
    return;
  }
  if (reply.kind === "stream") {
    yield* reply.events(signal);
    return;
  }
  const isLines = reply.as === "lines";
  let piece = isLines ? "" : "[";
  let count = 0;
  for (const item of reply.items) {
    piece += isLines ? `${JSON.stringify(item)}\n` : `${count === 0 ? "" : ","}${JSON.stringify(item)}`;
    if (++count % PIECE !== 0) continue;
    yield piece;
    piece = "";
    await new Promise(setImmediate);
  }
  yield isLines ? piece : `${piece}]`;
}

/** Items in one write. */
const PIECE = 500;
