import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { cannot, factOf, StoplogError } from "../core/errors.ts";
import { jsonLines } from "./output/json-lines.ts";

/** A request to the daemon: a path of api/wire.ts, and for POST a body. */
export type Question =
  | { readonly method: "GET"; readonly path: string }
  | { readonly method: "POST"; readonly path: string; readonly body: unknown }
  /** NDJSON instead of one document. */
  | { readonly method: "POST"; readonly path: string; readonly lines: string };

export interface AskOptions {
  /** How long the daemon may be silent, in ms. */
  readonly silence?: number;
  /** The longest answer that is read into memory, in bytes. */
  readonly maxBytes?: number;
}

const SILENCE = 10_000;
const MAX_ANSWER = 64 * 1024 * 1024;

/** Sends a request and returns the JSON of the answer, as api/wire.ts describes it. Throws the daemon's errors as their sentences. */
export async function ask<Answer>(
  socketPath: string,
  question: Question,
  options: AskOptions = {},
): Promise<Answer> {
  const response = await open(socketPath, question, options);
  // The daemon is of the same package: the shape of its answers is trusted, their size is not.
  return (await readJson(response, options.maxBytes ?? MAX_ANSWER)) as Answer;
}

/** Sends NDJSON. */
export function askWithText<Answer>(socketPath: string, path: string, lines: string): Promise<Answer> {
  return ask<Answer>(socketPath, { method: "POST", path, lines });
}

/** Asks for NDJSON and yields its values as they arrive: an answer may have any length. */
export async function* askForLines<Value>(
  socketPath: string,
  path: string,
  options: AskOptions = {},
): AsyncGenerator<readonly Value[]> {
  const response = await open(socketPath, { method: "GET", path }, { ...options, accept: NDJSON });
  if (response.headers["content-type"] !== NDJSON) {
    response.destroy();
    throw new StoplogError("Cannot read the daemon's answer: it is of another version (restart it)");
  }
  for await (const values of jsonLines(chunks(response))) yield values as readonly Value[];
}

const NDJSON = "application/x-ndjson";

async function open(
  socketPath: string,
  question: Question,
  options: AskOptions & { readonly accept?: string },
): Promise<IncomingMessage> {
  const silence = options.silence ?? SILENCE;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({
      socketPath,
      method: question.method,
      path: question.path,
      // An agent would keep the connection, and with it the process, alive.
      agent: false,
      headers: { accept: options.accept ?? "application/json", ...headersOf(question) },
    });
    let waited: ClientRequest | IncomingMessage = request;
    request.on("response", (answer) => resolve((waited = answer)));
    request.on("error", (error) => reject(unreachable(socketPath, error)));
    request.setTimeout(silence, () => waited.destroy(silent(silence)));
    request.end(bodyOf(question));
  });
  if ((response.statusCode ?? 0) < 400) return response;
  throw await refusal(response);
}

function headersOf(question: Question): Readonly<Record<string, string>> {
  if ("body" in question) return { "content-type": "application/json" };
  return "lines" in question ? { "content-type": "application/x-ndjson" } : {};
}

function bodyOf(question: Question): string | undefined {
  if ("body" in question) return JSON.stringify(question.body);
  return "lines" in question ? question.lines : undefined;
}

function silent(silence: number): StoplogError {
  return new StoplogError(`Cannot reach the daemon: no answer for ${silence / 1000} s`);
}

/** The daemon's own sentence, if the answer has one. */
async function refusal(response: IncomingMessage): Promise<StoplogError> {
  const nameless = new StoplogError(`Cannot do that: the daemon answered ${response.statusCode}`);
  const answer = (await readJson(response, MAX_ANSWER).catch(() => null)) as {
    readonly error?: unknown;
  } | null;
  return typeof answer?.error === "string" ? new StoplogError(answer.error) : nameless;
}

async function readJson(response: IncomingMessage, maxBytes: number): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks(response)) {
    length += chunk.length;
    if (length > maxBytes) {
      response.destroy();
      throw new StoplogError(`Cannot read the daemon's answer: it is longer than ${maxBytes} bytes`);
    }
    parts.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8")) as unknown;
  } catch (error) {
    throw new StoplogError("Cannot read the daemon's answer: it is not JSON", { cause: error });
  }
}

async function* chunks(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof StoplogError) throw error;
    throw cannot("read the daemon's answer", brokenOff(error) ? "it was cut off" : error);
  }
}

function brokenOff(error: unknown): boolean {
  return ["ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function unreachable(socketPath: string, error: Error): StoplogError {
  if (error instanceof StoplogError) return error;
  return cannot("reach the daemon", reason(socketPath, error));
}

function reason(socketPath: string, error: Error): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ECONNREFUSED":
      return `no process listens at ${socketPath} (is it running?)`;
    case "EACCES":
    case "EPERM":
      return `permission denied at ${socketPath} (try as root)`;
    case "ECONNRESET":
      return `it closed the connection at ${socketPath}`;
    case "HPE_INVALID_CONSTANT":
    case "HPE_INVALID_VERSION":
      return `the program that listens at ${socketPath} is not Stoplog`;
    default:
      return `${factOf(error)} at ${socketPath}`;
  }
}
