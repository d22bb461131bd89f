import { expect, it } from "vitest";
import { HOUR, MINUTE, SECOND } from "../core/time.ts";
import { comparisonPause } from "./comparison-pause.ts";

it.each([
  ["as often as the enforcer asks where it costs little", 10 * SECOND, 100, 10 * SECOND],
  ["a fiftieth of the time where it costs more", 10 * SECOND, 900, 45 * SECOND],
  ["once a minute at the least", 10 * SECOND, 9000, MINUTE],
  ["as rarely as the enforcer asks", HOUR, 9000, HOUR],
])("compares %s", (_, every, took, pause) => {
  expect(comparisonPause(every, took)).toBe(pause);
});
