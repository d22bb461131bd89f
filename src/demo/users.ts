import { attempt, PASSWORD } from "./attempt.ts";
import { beat } from "./beat.ts";
import type { Parent } from "./parent.ts";
import { SERVER, userAddress, USERS } from "./plan.ts";
import { Seconds } from "./seconds.ts";

/** The logins of users with the right password in one second. */
export interface UsersSecond {
  readonly second: number;
  readonly users: number;
  readonly served: number;
}

/** Each user logs in once a second. */
export async function visit(seconds: number, parent: Parent): Promise<void> {
  const counts = new Seconds();
  let come = 0;
  const start = await parent.start();
  await beat(
    { start, seconds },
    {
      step: (elapsed) => {
        for (; elapsed >= dueAt(come) && come < seconds * USERS; come++) {
          const login = {
            from: userAddress(come % USERS),
            host: SERVER.v4,
            user: "alice",
            password: PASSWORD,
          };
          attempt({ ...login, patience: PATIENCE }, counts.begin(secondOf(come)));
        }
      },
      over: (second) => {
        const count = counts.take(second);
        // A login that could not be tried counts as not served.
        if (count !== null)
          parent.tell({ second, users: USERS, served: count.welcome } satisfies UsersSecond);
        return count !== null;
      },
    },
    parent.gone,
  );
}

/** In ms: users log in one after the other in the first part of each second. */
const APART = 30;
/** In ms: a later login counts as not served. */
const PATIENCE = 500;

function dueAt(come: number): number {
  return (secondOf(come) - 1) * 1000 + (come % USERS) * APART;
}

function secondOf(come: number): number {
  return Math.floor(come / USERS) + 1;
}
