import { createWriteStream } from "node:fs";
import { type IncomingMessage, request as overHttp } from "node:http";
import { request as overHttps } from "node:https";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { factOf, StoplogError } from "../../core/errors.ts";
import { tooLong } from "./list-files.ts";

export interface ListRequest {
  readonly url: string;
  /** Sent to the host of the URL only, not to where it redirects. */
  readonly headers: Readonly<Record<string, string>>;
  readonly userAgent: string;
  /** Of the copy that is there. */
  readonly validators: Validators;
  /** Where the body goes; a file that is there is overwritten, and one that is not complete is left behind. */
  readonly to: string;
  readonly maxBytes: number;
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export type ListAnswer =
  | { readonly kind: "unchanged"; readonly rules: readonly string[] }
  | { readonly kind: "fetched"; readonly rules: readonly string[]; readonly validators: Validators }
  /** The server was there, and did not give the list. */
  | { readonly kind: "denied"; readonly fact: string; readonly retryAfter: string | null }
  | { readonly kind: "unreached"; readonly fact: string };

/** Asks for a list, unless it has not changed (RFC 9110, 13.1). Rejects only when the signal aborts. */
export async function fetchList(wanted: ListRequest, signal: AbortSignal): Promise<ListAnswer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(wanted.timeout)]);
  let url = new URL(wanted.url);
  let reached = false;
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await ask(url, wanted, limit);
      reached = true;
      const { statusCode = 0, headers } = response;
      if (![301, 302, 303, 307, 308].includes(statusCode)) return await take(response, wanted, limit);
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
    const fact = limit.aborted ? `it took longer than ${wanted.timeout / 1000} s` : factOf(thrown);
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

function ask(url: URL, wanted: ListRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { etag, lastModified } = wanted.validators;
  const home = new URL(wanted.url).origin === url.origin;
  const headers = {
    ...(home ? wanted.headers : {}),
    "user-agent": wanted.userAgent,
    accept: "*/*",
    "accept-encoding": "gzip",
    ...(etag === null ? {} : { "if-none-match": etag }),
    ...(lastModified === null ? {} : { "if-modified-since": lastModified }),
  };
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? overHttps : overHttp;
    // A connection of its own: the next question comes in hours.
    const sent = send(url, { headers, signal, agent: false, insecureHTTPParser: false }, resolve);
    sent.on("error", reject);
    // Nothing else tells of a server that changes to another protocol (101).
    sent.on("close", () => reject(new StoplogError("the server ends the connection without an answer")));
    sent.end();
  });
}

async function take(
  response: IncomingMessage,
  wanted: ListRequest,
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
    return denied(`the server packs it in a way that was not asked for, ${JSON.stringify(encoding)}`);
  }
  const unpacked = encoding === "gzip" ? [createGunzip()] : [];
  await pipeline(
    [response, ...unpacked, bounded(wanted.maxBytes), createWriteStream(wanted.to, { mode: 0o600 })],
    {
      signal,
    },
  );
  const validators = { etag: headers.etag ?? null, lastModified: headers["last-modified"] ?? null };
  return { kind: "fetched", rules, validators };
}

/** Lets so many bytes through, and then breaks the stream. */
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
