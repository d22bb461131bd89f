import { attempt } from "./attempt.ts";
import { beat } from "./beat.ts";
import { Pace } from "./pace.ts";
import type { Parent } from "./parent.ts";
import { attackerAddress, type Plan, SERVER } from "./plan.ts";
import { Seconds } from "./seconds.ts";

/** The attackers' attempts of one second, by outcome. */
export interface FloodSecond {
  readonly second: number;
  readonly tried: number;
  /** Answered by the service, even if with a refusal. */
  readonly through: number;
  readonly unanswered: number;
  readonly failed: number;
  /** Due but not made: too many attempts were open, or the machine is too slow. */
  readonly missed: number;
}

/** The attackers take turns, at a steady total rate. */
export async function attack(plan: Plan, parent: Parent): Promise<void> {
  const pace = new Pace(plan.rate);
  const counts = new Seconds();
  let hanging = 0;
  let turn = 0;
  let missed = 0;
  const strike = (second: number): void => {
    const from = attackerAddress(turn % plan.attackers, plan.ipv6);
    const host = from.includes(":") ? SERVER.v6 : SERVER.v4;
    const user = NAMES[turn % NAMES.length] ?? "root";
    const count = counts.begin(second);
    hanging++;
    turn++;
    attempt({ from, host, user, password: "guess", patience: PATIENCE }, (outcome) => {
      hanging--;
      count(outcome);
    });
  };
  const start = await parent.start();
  await beat(
    { start, seconds: plan.seconds },
    {
      step: (elapsed, second) => {
        for (let due = pace.take(elapsed, MOST_HANGING - hanging); due > 0; due--) strike(second);
      },
      over: (second) => {
        const count = counts.take(second);
        if (count === null) return false;
        const { tried, welcome, refused, unanswered, failed } = count;
        const through = welcome + refused;
        const report = { second, tried, through, unanswered, failed, missed: pace.missed - missed };
        parent.tell(report satisfies FloodSecond);
        missed = pace.missed;
        return true;
      },
    },
    parent.gone,
  );
}

/** In ms: how long an attempt waits for an answer. */
const PATIENCE = 300;
/** Open attempts at the same time: enough for over 2,000 a second with that patience. */
const MOST_HANGING = 1000;

const NAMES = ["root", "admin", "test", "oracle", "ubuntu", "git", "postgres", "pi"];
