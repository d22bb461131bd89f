// Legitimate clients of an echo service: connects at a steady rate, sends a byte and waits for the echo. A process of its own; each
// line of its output is JSON: how many were served and how many were not since the start.
//
//   node scripts/run-ts.mjs test/support/visitors.ts '{"host": "192.0.2.1", "port": 22, "perSecond": 200, "patienceMs": 1000}'

import { connect } from "node:net";

export interface VisitTask {
  readonly host: string;
  readonly port: number;
  readonly perSecond: number;
  /** Source addresses, used in turn; the kernel chooses when there is none. */
  readonly from?: readonly string[];
  /** A visitor without an answer after this time was not served. */
  readonly patienceMs: number;
}

export interface Visits {
  served: number;
  failed: number;
}

const MOST_AT_ONCE = 20;

const task = JSON.parse(process.argv[2] ?? "") as VisitTask;
const visits: Visits = { served: 0, failed: 0 };
const started = performance.now();
let begun = 0;

setInterval(() => {
  const due = Math.floor(((performance.now() - started) / 1000) * task.perSecond);
  // Late visitors are dropped: catching up would be a flood.
  begun = Math.max(begun, due - MOST_AT_ONCE);
  for (; begun < due; begun++) visit(task.from?.[begun % task.from.length]);
}, 5);
setInterval(() => process.stdout.write(`${JSON.stringify(visits)}\n`), 100);

function visit(from: string | undefined): void {
  const local = from === undefined ? {} : { localAddress: from };
  const socket = connect({ host: task.host, port: task.port, ...local });
  const give = (result: keyof Visits): void => {
    clearTimeout(timer);
    socket.removeAllListeners();
    socket.on("error", () => undefined);
    // A reset leaves no connection in TIME_WAIT.
    socket.resetAndDestroy();
    visits[result]++;
  };
  const timer = setTimeout(() => give("failed"), task.patienceMs);
  socket.once("connect", () => socket.write("x"));
  socket.once("data", () => give("served"));
  socket.once("error", () => give("failed"));
}
