import { connect } from "node:net";

/** The outcome of a login; `unanswered` after `patience`. */
export type Outcome = "welcome" | "refused" | "unanswered" | "failed";

export interface Attempt {
  readonly from: string;
  readonly host: string;
  readonly user: string;
  readonly password: string;
  /** In ms. */
  readonly patience: number;
}

/** The protocol between the demo's service and its clients. */
export const PORT = 22;
export const PASSWORD = "right";
export const WELCOME = "welcome\n";
export const DENIED = "denied\n";

/** Connects from `from`, waits for the banner, tries one password. Calls `done` once. */
export function attempt(
  { from, host, user, password, patience }: Attempt,
  done: (outcome: Outcome) => void,
): void {
  const socket = connect({ host, port: PORT, localAddress: from, noDelay: true });
  let heard = "";
  let asked = false;
  let over = false;
  const end = (outcome: Outcome): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    // A reset: otherwise thousands of connections a second would stay in TIME_WAIT for a minute each.
    socket.resetAndDestroy();
    done(outcome);
  };
  const timer = setTimeout(() => end("unanswered"), patience);
  socket.setEncoding("latin1");
  socket.on("error", () => end("failed"));
  socket.on("close", () => end("failed"));
  socket.on("data", (text: string) => {
    heard += text;
    if (!asked && heard.endsWith("\n")) {
      asked = true;
      socket.write(`${user} ${password}\n`);
    } else if (heard.endsWith(WELCOME)) end("welcome");
    else if (heard.endsWith(DENIED)) end("refused");
  });
}
