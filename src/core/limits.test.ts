import { describe, expect, it } from "vitest";
import { LIMITS, type Limit } from "./limits.ts";

describe("LIMITS", () => {
  it.each(Object.entries<Limit>(LIMITS))(
    "say of %s how much, of what, what happens at the bound and which counter tells",
    (_name, limit) => {
      expect(Number.isSafeInteger(limit.value) && limit.value > 0).toBe(true);
      for (const text of [limit.unit, limit.what, limit.full]) expect(text).toMatch(/^[a-z][^.]{2,}[^.\s]$/);
      for (const counter of limit.counter.split(", "))
        expect(counter).toMatch(/^([a-z0-9]+(\.(\*|[a-zA-Z]+))+|stoplog (check|run))$/);
      if (limit.setting !== null) expect(limit.setting).toMatch(/^[a-z]+(\.(\*|[a-z_]+))+$/);
    },
  );
});
