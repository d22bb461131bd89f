import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Reply } from "./reply.ts";

/** Null for one that is too long; the rest of it is read and thrown away, for as long as a request may take. */
export async function bodyOf(request: IncomingMessage, most: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
  }
  return size > most ? null : Buffer.concat(chunks).toString();
}

/** Writes a reply no faster than it is read. */
export async function send(response: ServerResponse, reply: Reply): Promise<void> {
  const gone = new AbortController();
  // The connection's end and not the reply's: one that waits behind another on its connection is told of none.
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

/** A long array goes out in pieces with a turn of the loop between them: a million bans neither fill the memory nor hold it up. */
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

/** Items. */
const PIECE = 500;
