import { createServer, type Server, type Socket } from "node:net";
import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { sleep } from "../../core/sleep.ts";
import { type Duration, MINUTE, SECOND } from "../../core/time.ts";
import { listenOnSocket } from "../unix-socket.ts";
import { wrongValue } from "./command-error.ts";
import { CLOSE, END, Fail2banFrames } from "./frame-reader.ts";
import { readPickle } from "./pickle-reader.ts";
import { writeFailure, writePickle } from "./pickle-writer.ts";
import { type Answer, type Plain, Tuple } from "./plain.ts";
import type { Fail2banStats } from "./stats.ts";

export interface Fail2banSocketParts {
  readonly path: string;
  /** Carries out a command. Never rejects. */
  readonly answer: (command: Plain) => Promise<Answer>;
  readonly stats: Fail2banStats;
  readonly times?: { readonly idle: Duration; readonly message: Duration };
}

/**
 * Listens on a socket that speaks fail2ban's protocol: each message is a pickle, and so is its answer. Its clients may ban and unban any
 * address, so only its owner and root can connect.
 */
export async function openFail2banSocket(parts: Fail2banSocketParts): Promise<{ close(): Promise<void> }> {
  const { path, stats } = parts;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    void converse(socket, parts);
  });
  server.maxConnections = LIMITS.fail2banConnections.value;
  server.on("drop", () => stats.turnedAway++);
  const other = "fail2ban or another program listens";
  const listening = await listenOnSocket(server, { path, mode: 0o700, other });
  return {
    async close() {
      await close(server, open);
      await listening.release();
    },
  };
}

const TIMES = { idle: MINUTE, message: 10 * SECOND };

/** One message after the other: while one is answered, nothing is read. Never rejects. */
async function converse(
  socket: Socket,
  { answer, stats, times = TIMES }: Fail2banSocketParts,
): Promise<void> {
  const frames = new Fail2banFrames();
  const patience = new Patience(socket, times.message, () => stats.broken++);
  socket.setTimeout(times.idle, () => socket.destroy());
  // It has gone: there is no reader for its answer.
  socket.on("error", () => undefined);
  try {
    for await (const chunk of socket) {
      const messages = frames.push(chunk as Buffer);
      if (messages === null) {
        stats.broken++;
        break;
      }
      if (messages.length > 0) patience.end();
      for (const message of messages) if (!(await answered(message, socket, { answer, stats }))) return;
      if (frames.isPartial) patience.begin();
    }
  } catch {
    // The client broke the connection off.
  } finally {
    patience.end();
    socket.end();
  }
}

/** False when the connection ends with this message. */
async function answered(
  message: Buffer,
  socket: Socket,
  { answer, stats }: Pick<Fail2banSocketParts, "answer" | "stats">,
): Promise<boolean> {
  if (message.equals(CLOSE)) return false;
  let command: Plain;
  try {
    command = readPickle(message);
  } catch (error) {
    stats.refused++;
    const sentence = error instanceof StoplogError ? error.message : "Cannot read the message";
    await send(socket, writeFailure(wrongValue(sentence).exception));
    return false;
  }
  const result = await answer(command);
  const bytes =
    "value" in result ? writePickle(new Tuple([0, result.value])) : writeFailure(result.exception);
  await send(socket, bytes);
  return !socket.destroyed;
}

/** Waits for a slow reader: no further command is read before it has this answer. */
function send(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", resolve);
    socket.write(Buffer.concat([bytes, END]), () => {
      socket.removeListener("close", resolve);
      resolve();
    });
  });
}

/** A message that has begun must arrive in time, however slowly its bytes come. */
class Patience {
  readonly #socket: Socket;
  readonly #time: Duration;
  readonly #count: () => void;
  #waiting: AbortController | null = null;

  constructor(socket: Socket, time: Duration, count: () => void) {
    this.#socket = socket;
    this.#time = time;
    this.#count = count;
  }

  begin(): void {
    if (this.#waiting !== null) return;
    const waiting = new AbortController();
    this.#waiting = waiting;
    void sleep(this.#time, waiting.signal).then(() => {
      if (waiting.signal.aborted) return;
      this.#count();
      this.#socket.destroy();
    });
  }

  end(): void {
    this.#waiting?.abort();
    this.#waiting = null;
  }
}

function close(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of open) socket.destroy();
  });
}
