import { closeSync, openSync, writeSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { cannot } from "../core/errors.ts";
import { DENIED, PASSWORD, PORT, WELCOME } from "./attempt.ts";
import type { Parent } from "./parent.ts";

/** Acts like sshd: a banner, one password, an answer, and a log line in sshd's format. */
export async function serve(logPath: string, host: string, parent: Parent): Promise<void> {
  const log = openSync(logPath, "a");
  const server = createServer({ noDelay: true }, (socket) => answer(socket, (line) => writeSync(log, line)));
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.on("error", (error) => reject(cannot(`listen on port ${PORT}`, error)));
    server.listen({ host, port: PORT, backlog: 4096 }, resolve);
  });
  await parent.serve();
  server.close();
  closeSync(log);
  // Ends connections that are still open.
  process.exit(0);
}

/** A line of sshd in the file format of rsyslog. */
export function logLine(at: Date, process: number, what: LogIn): string {
  const { good, user, address, port } = what;
  const message = `${good ? "Accepted" : "Failed"} password for ${user} from ${address} port ${port} ssh2`;
  return `${at.toISOString()} server sshd[${process}]: ${message}\n`;
}

export interface LogIn {
  readonly good: boolean;
  readonly user: string;
  readonly address: string;
  readonly port: number;
}

const MOST_CONNECTIONS = 4096;
const LONGEST_QUESTION = 100;
/** In ms: a silent connection is closed after this. */
const SILENCE = 2000;

/** Process numbers: sshd has a process for each connection. */
let processes = 1000;

function answer(socket: Socket, write: (line: string) => void): void {
  const process = ++processes;
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  const port = socket.remotePort ?? 0;
  let heard = "";
  socket.on("error", () => {});
  socket.setTimeout(SILENCE, () => socket.destroy());
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    heard += text;
    const question = /^(\w+) (\w+)\n$/.exec(heard);
    if (question === null) {
      if (heard.length > LONGEST_QUESTION) socket.destroy();
      return;
    }
    const [, user = "", password] = question;
    const good = password === PASSWORD;
    write(logLine(new Date(), process, { good, user, address, port }));
    socket.end(good ? WELCOME : DENIED);
  });
  socket.write("SSH-2.0-Stoplog_demo\r\n");
}
