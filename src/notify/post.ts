import { type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { formatDuration } from "../core/duration.ts";
import { factOf } from "../core/errors.ts";
import type { Duration } from "../core/time.ts";
import { retryAfter } from "./back-off.ts";
import { later, type Outcome, refused } from "./outcome.ts";
import { clip, oneLine } from "./plain-text.ts";
import type { Rendered } from "./template/rendered.ts";

/**
 * Sends a request and looks at the status of its answer. Redirects are not followed: a message may hold a key, and whoever answers chose
 * where they lead. Of an answer that refuses, 4 KiB are read, of any other nothing. No fact names the URL, which may be a secret.
 */
export async function post(request: Rendered, timeout: Duration, signal: AbortSignal): Promise<Outcome> {
  const late = AbortSignal.timeout(timeout);
  const limit = AbortSignal.any([signal, late]);
  try {
    return await judge(await send(request, limit));
  } catch (thrown) {
    if (late.aborted) return later(`${request.url.hostname} took longer than ${formatDuration(timeout)}`);
    if (signal.aborted) return later(`${request.url.hostname} had not answered when Stoplog stopped`);
    return later(`${request.url.hostname}: ${oneLine(factOf(thrown))}`);
  }
}

function send({ method, url, headers, body }: Rendered, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? overHttps : overHttp;
    const length = String(Buffer.byteLength(body));
    // A connection of its own: the next message comes in minutes or days.
    const options = { method, headers: { ...headers, "content-length": length }, signal, agent: false };
    const sent = start(url, options, resolve);
    sent.on("error", reject);
    sent.end(body);
  });
}

async function judge(response: IncomingMessage): Promise<Outcome> {
  const { statusCode: status = 0, headers } = response;
  if (status < 300) {
    response.destroy();
    return { kind: "sent" };
  }
  if (status < 400) {
    response.destroy();
    return refused(`the server answers ${status}, and redirects are not followed`);
  }
  const fact = `the server answers ${status}${quoted(await beginningOf(response))}`;
  const again = status >= 500 || status === 429 || status === 408 || status === 425;
  return again ? later(fact, retryAfter(headers["retry-after"], Date.now())) : refused(fact);
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, MOST_READ - length));
      length += chunk.length;
      if (length >= MOST_READ) break;
    }
  } catch {
    // what is there must do
  }
  response.destroy();
  return Buffer.concat(chunks).toString("utf8");
}

function quoted(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  return words === "" ? "" : `: ${clip(oneLine(words), 160)}`;
}

/** Bytes. */
const MOST_READ = 4096;
