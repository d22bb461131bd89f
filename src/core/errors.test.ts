import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { cannot, factOf, StoplogError } from "./errors.ts";

describe("cannot()", () => {
  it("joins what failed and why to one sentence, and keeps the cause", () => {
    const cause = thrownBy(() => readFileSync("/nonexistent/auth.log"));
    const error = cannot("read /nonexistent/auth.log", cause);
    expect(error).toBeInstanceOf(StoplogError);
    expect([error.name, error.message, error.cause]).toEqual([
      "StoplogError",
      "Cannot read /nonexistent/auth.log: no such file or directory",
      cause,
    ]);
  });

  it("accepts a plain fact", () => {
    const error = cannot("open the socket", "another Stoplog holds it");
    expect([error.message, error.cause]).toEqual([
      "Cannot open the socket: another Stoplog holds it",
      undefined,
    ]);
  });
});

describe("factOf()", () => {
  it("translates system error codes, and returns the message of other errors", () => {
    const coded = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
    const unknown = Object.assign(new Error("odd"), { code: "EODD" });
    const facts = [coded, unknown, new Error("it is late"), "a string", 7, null].map(factOf);
    expect(facts).toEqual(["connection refused", "odd", "it is late", "a string", "7", "null"]);
  });

  it("is never empty", () => {
    expect([new AggregateError([], ""), new TypeError("")].map(factOf)).toEqual([
      "AggregateError",
      "TypeError",
    ]);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
