import { expect, it } from "vitest";
import { LIMITS } from "../core/limits.ts";
import { MINUTE } from "../core/time.ts";
import { NOW } from "../../test/support/notify-messages.ts";
import { ToldLately } from "./told-lately.ts";

it("notifies an address once within the period, and again after it", () => {
  const told = new ToldLately(10, 15 * MINUTE);
  expect(told.note("192.0.2.1", NOW)).toBe("new");
  expect(told.note("192.0.2.1", NOW + 15 * MINUTE - 1)).toBe("told");
  expect(told.note("192.0.2.1", NOW + 15 * MINUTE)).toBe("new");
  expect(told.note("192.0.2.1", NOW + 15 * MINUTE)).toBe("told");
});

it("[limit: notifyReported] does not notify an address that it cannot remember", () => {
  const most = LIMITS.notifyReported.value;
  const told = new ToldLately(most, MINUTE);
  for (let n = 0; n < most; n++) expect(told.note(String(n), NOW)).toBe("new");
  expect(told.note("one more", NOW)).toBe("full");
  expect(told.note("0", NOW)).toBe("told");
  expect(told.note("one more", NOW + MINUTE)).toBe("new");
});
