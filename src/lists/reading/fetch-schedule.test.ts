import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { expiresIn, type Fetched, nextFetch } from "./fetch-schedule.ts";

const NOW = Date.parse("2026-05-01T12:00:00Z");

describe("nextFetch", () => {
  const answered = (rules: string[], expires: number | null = null): Fetched => ({
    kind: "answered",
    rules,
    expires,
  });
  it.each<[string, Fetched, number]>([
    ["its interval", answered([]), 2 * HOUR],
    ["its interval, when the server asks for less", answered(["public", "max-age=60"]), 2 * HOUR],
    ["what the server asks for", answered(["max-age=43200", "must-revalidate"]), 12 * HOUR],
    ["what the list says itself", answered([], NOW + 20 * HOUR), 20 * HOUR],
    ["a week at the most", answered(["max-age=99999999"]), 7 * DAY],
    ["its interval after a refusal", { kind: "denied", retryAfter: null }, 2 * HOUR],
    ["as long as the refusal says", { kind: "denied", retryAfter: "10800" }, 3 * HOUR],
    ["until the refusal says", { kind: "denied", retryAfter: "Fri, 01 May 2026 16:00:00 GMT" }, 4 * HOUR],
    ["its interval, when the refusal makes no sense", { kind: "denied", retryAfter: "soon" }, 2 * HOUR],
    ["a minute, when no server was reached", { kind: "unreached", times: 1 }, MINUTE],
    ["twice as long each time", { kind: "unreached", times: 4 }, 8 * MINUTE],
    ["its interval at the most", { kind: "unreached", times: 40 }, 2 * HOUR],
  ])("waits for %s", (_, fetched, wait) => {
    expect(nextFetch(NOW, fetched, 2 * HOUR) - NOW).toBe(wait);
  });
});

describe("expiresIn", () => {
  it("reads Spamhaus' comment", () => {
    const head =
      "; Spamhaus DROP List\n; Last-Modified: Fri, 01 May 2026 10:00:00 GMT\n; Expires: Fri, 01 May 2026 12:00:05 GMT\n1.10.16.0/20 ; SBL256894\n";
    expect(expiresIn(head)).toBe(NOW + 5 * SECOND);
  });

  it("answers null without one", () => {
    expect(expiresIn("192.0.2.1\n; Expires: some day\n")).toBeNull();
    expect(expiresIn("Expires: Fri, 01 May 2026 12:00:05 GMT")).toBeNull();
  });
});
