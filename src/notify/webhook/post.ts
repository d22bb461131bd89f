import { type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { formatDuration } from "../../core/duration.ts";
import { factOf, StoplogError } from "../../core/errors.ts";
import { clip, printable } from "../../core/printable.ts";
import type { Duration } from "../../core/time.ts";
import { retryAfter } from "../back-off.ts";
import { later, type Outcome, refused } from "../outcome.ts";
import type { Rendered } from "../template/rendered.ts";

/**
 * Sends a request and judges the status of the response. Does not follow redirects: the message may contain a key, and the server chooses
 * the destination. Reads at most 4 KiB of a response. No error names the URL, which may be a secret.
 */
export async function post(request: Rendered, timeout: Duration, signal: AbortSignal): Promise<Outcome> {
  const { hostname } = request.url;
  // Not AbortSignal.any: in Node 20 and 22 its result is kept for the lifetime of its longest-lived signal.
  const limit = new AbortController();
  const end = (): void => limit.abort();
  const timer = setTimeout(end, timeout);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  try {
    return await judge(await send(request, limit.signal));
  } catch (thrown) {
    if (signal.aborted) return later(`${hostname} had not answered when Stoplog stopped`);
    if (limit.signal.aborted) return later(`${hostname} took longer than ${formatDuration(timeout)}`);
    return later(`${hostname}: ${printable(factOf(thrown))}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

function send({ method, url, headers, body }: Rendered, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? overHttps : overHttp;
    const length = String(Buffer.byteLength(body));
    // No keep-alive: the next message comes in minutes or days.
    // Verifies certificates even when NODE_TLS_REJECT_UNAUTHORIZED is 0.
    const tls = { rejectUnauthorized: true };
    const options = {
      method,
      headers: { ...headers, "content-length": length },
      signal,
      agent: false,
      ...tls,
    };
    const sent = start(url, options, resolve);
    sent.on("error", reject);
    // A server that switches protocols sends no response. After a response this has no effect.
    sent.on("close", () => reject(new StoplogError("the server closed the connection without a response")));
    sent.end(body);
  });
}

async function judge(response: IncomingMessage): Promise<Outcome> {
  const { statusCode: status = 0, headers } = response;
  // Also of a success: some servers log a connection that is closed at once as an error.
  const beginning = await beginningOf(response);
  if (status < 300) return { kind: "sent" };
  if (status < 400) return refused(`the server answers ${status}; redirects are not followed`);
  const fact = `the server answers ${status}${quoted(beginning)}`;
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
    // judged by what has arrived
  }
  response.destroy();
  return Buffer.concat(chunks).toString("utf8");
}

function quoted(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  return words === "" ? "" : `: ${clip(printable(words), 160)}`;
}

/** Bytes. */
const MOST_READ = 4096;
