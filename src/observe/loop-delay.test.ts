import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { LoopDelay } from "./loop-delay.ts";
import { block } from "../../test/support/waiting.ts";

const open: LoopDelay[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function running(): LoopDelay {
  const delay = new LoopDelay();
  open.push(delay);
  return delay;
}

describe("LoopDelay", () => {
  it("sees what blocks the loop while input arrives, and forgets it twenty ticks later", async () => {
    const delay = running();
    delay.tick(true);
    await sleep(40);
    block(200);
    await sleep(40);
    expect(delay.figures.maxMs).toBeGreaterThan(100);
    for (let i = 0; i < 11; i++) delay.tick(true);
    expect(delay.figures.maxMs).toBeGreaterThan(100);
    for (let i = 0; i < 11; i++) delay.tick(true);
    expect(delay.figures).toEqual({ p99Ms: 0, maxMs: 0 });
  });

  it("measures nothing on a quiet machine, and does not take the quiet time for a delay", async () => {
    const delay = running();
    delay.tick(true);
    await sleep(40);
    delay.tick(false);
    block(300);
    await sleep(300);
    delay.tick(true);
    await sleep(40);
    expect(delay.figures.maxMs).toBeLessThan(250);
  });
});
