import { createWriteStream, rmSync } from "node:fs";
import { type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { factOf, StoplogError } from "../../core/errors.ts";
import { tooLong } from "./list-files.ts";

export interface ListRequest {
  readonly url: string;
  /** Sent to the host of the URL only, not to a host that it redirects to. */
  readonly headers: Readonly<Record<string, string>>;
  readonly userAgent: string;
  /** The validators of the existing copy. */
  readonly validators: Validators;
  /** The file for the body. An existing one, or a link, is replaced; after a failure an incomplete one is left behind. */
  readonly to: string;
  readonly maxBytes: number;
  /** Milliseconds for the whole request. */
  readonly timeout: number;
}

export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export type ListAnswer =
  | { readonly kind: "unchanged"; readonly rules: readonly string[] }
  | { readonly kind: "fetched"; readonly rules: readonly string[]; readonly validators: Validators }
  /** The server was reached, and did not send the list. */
  | { readonly kind: "denied"; readonly fact: string; readonly retryAfter: string | null }
  | { readonly kind: "unreached"; readonly fact: string };

/** Fetches a list if it has changed (RFC 9110, 13.1). Rejects only when the signal aborts. */
export async function fetchList(request: ListRequest, signal: AbortSignal): Promise<ListAnswer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(request.timeout)]);
  let url = new URL(request.url);
  let reached = false;
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await ask(url, request, limit);
      reached = true;
      const { statusCode = 0, headers } = response;
      if (![301, 302, 303, 307, 308].includes(statusCode)) return await take(response, request, limit);
      response.destroy();
      if (redirects === MOST_REDIRECTS) return denied(`it redirects more than ${MOST_REDIRECTS} times`);
      const next = tryUrl(headers.location, url);
      if (next === null || !/^https?:$/.test(next.protocol)) return denied("it redirects to nowhere");
      if (url.protocol === "https:" && next.protocol === "http:")
        return denied("it redirects from https to http");
      url = next;
    }
  } catch (thrown) {
    signal.throwIfAborted();
    const fact = limit.aborted ? `it took longer than ${request.timeout / 1000} s` : factOf(thrown);
    return reached ? denied(fact) : { kind: "unreached", fact };
  }
}

const MOST_REDIRECTS = 5;

function denied(fact: string, retryAfter: string | null = null): ListAnswer {
  return { kind: "denied", fact, retryAfter };
}

function tryUrl(text: string | undefined, base: URL): URL | null {
  try {
    return new URL(text ?? "", base);
  } catch {
    return null;
  }
}

function ask(url: URL, request: ListRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { etag, lastModified } = request.validators;
  const home = new URL(request.url).origin === url.origin;
  const headers = {
    ...(home ? request.headers : {}),
    "user-agent": request.userAgent,
    accept: "*/*",
    "accept-encoding": "gzip",
    ...(etag === null ? {} : { "if-none-match": etag }),
    ...(lastModified === null ? {} : { "if-modified-since": lastModified }),
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? overHttps : overHttp;
    // The connection is not kept: the next request comes in hours.
    const sent = send(url, { headers, signal, agent: false, insecureHTTPParser: false }, resolve);
    sent.on("error", reject);
    // The only event for a server that changes to another protocol (101).
    sent.on("close", () => reject(new StoplogError("the server ends the connection without an answer")));
    sent.end();
  });
}

async function take(
  response: IncomingMessage,
  request: ListRequest,
  signal: AbortSignal,
): Promise<ListAnswer> {
  const { statusCode = 0, headers } = response;
  const rules = (headers["cache-control"] ?? "").split(",").map((rule) => rule.trim());
  if (statusCode !== 200) {
    response.destroy();
    if (statusCode === 304) return { kind: "unchanged", rules };
    return denied(`the server answers ${statusCode}`, headers["retry-after"] ?? null);
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (!["identity", "gzip"].includes(encoding)) {
    response.destroy();
    return denied(`the server uses a content encoding that was not requested, ${JSON.stringify(encoding)}`);
  }
  const unpacked = encoding === "gzip" ? [createGunzip()] : [];
  await pipeline([response, ...unpacked, bounded(request.maxBytes), newFile(request.to)], {
    signal,
  });
  const validators = { etag: headers.etag ?? null, lastModified: headers["last-modified"] ?? null };
  return { kind: "fetched", rules, validators };
}

/** Passes this many bytes, and then fails the stream. */
function bounded(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length;
      if (left < 0) done(new StoplogError(tooLong(bytes)));
      else done(null, chunk);
    },
  });
}

/** Replaces what is there; never writes through a link. */
function newFile(path: string): Writable {
  rmSync(path, { force: true });
  return createWriteStream(path, { mode: 0o600, flags: "wx" });
}
