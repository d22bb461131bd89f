// Asks nginx and sshd at a steady pace, whether or not earlier answers have come, and times every answer.
//
//   node ask-services.mjs '{"seconds": 30, "httpPort": 8080, "sshPort": 2222, "everyMs": {"http": 10, "ssh": 50}}'
//
// Prints one line of JSON at the end: the milliseconds of each answer; null for one that was wrong or did not come.

import { connect } from "node:net";

/** The task. */
export interface AskTask {
  readonly seconds: number;
  readonly httpPort: number;
  readonly sshPort: number;
  readonly everyMs: { readonly http: number; readonly ssh: number };
}

/** Milliseconds of each answer, in no order. */
export interface Asked {
  readonly http: readonly (number | null)[];
  readonly ssh: readonly (number | null)[];
}

const PATIENCE_MS = 10_000;
const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

const task = JSON.parse(process.argv[2] ?? "") as AskTask;
const [http, ssh] = await Promise.all([
  atPace(task.everyMs.http, () =>
    timed(task.httpPort, REQUEST, (text) => text.startsWith("HTTP/1.1 200") && text.endsWith("hello\n")),
  ),
  atPace(task.everyMs.ssh, () => timed(task.sshPort, "", (text) => /^SSH-2\.0-[^\n]+\n/.test(text))),
]);
process.stdout.write(`${JSON.stringify({ http, ssh } satisfies Asked)}\n`);

async function atPace(everyMs: number, ask: () => Promise<number | null>): Promise<(number | null)[]> {
  const started = performance.now();
  const count = Math.floor((task.seconds * 1000) / everyMs);
  const answers: Promise<number | null>[] = [];
  for (let n = 0; n < count; n++) {
    const wait = started + n * everyMs - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    answers.push(ask());
  }
  return Promise.all(answers);
}

/** Milliseconds until the answer is whole. */
function timed(port: number, request: string, isWhole: (text: string) => boolean): Promise<number | null> {
  return new Promise((resolve) => {
    const before = performance.now();
    let text = "";
    const socket = connect({ host: "127.0.0.1", port });
    const give = (answer: number | null): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATIENCE_MS, () => give(null));
    socket.on("error", () => give(null));
    socket.on("close", () => resolve(null));
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (isWhole(text)) give(performance.now() - before);
    });
    if (request !== "") socket.write(request);
  });
}
