import { describe, expect, it } from "vitest";
import { MINUTE } from "../core/time.ts";
import { TroubleLog } from "./trouble-log.ts";

describe("TroubleLog", () => {
  const said: string[] = [];
  const log = new TroubleLog({
    warn: (sentence) => said.push(`warn ${sentence}`),
    info: (sentence) => said.push(`info ${sentence}`),
  });
  const taken = { of: "the API", sentence: "Cannot listen on port 80: it is taken" };
  const missing = { of: "source auth", sentence: "Cannot read /var/log/auth.log: it does not exist" };

  it("says a trouble once while it lasts, and once when it is over", () => {
    log.follow([taken, missing], 0);
    log.follow([taken, missing], 1000);
    expect(said.splice(0)).toEqual([`warn ${taken.sentence}`, `warn ${missing.sentence}`]);
    log.follow([missing], 2000);
    expect(said.splice(0)).toEqual(["info The trouble with the API is over"]);
    log.follow([taken, missing], 3000);
    expect(said.splice(0)).toEqual([`warn ${taken.sentence}`]);
  });

  it("says a changed sentence at most once a minute", () => {
    const denied = { of: "source auth", sentence: "Cannot read /var/log/auth.log: permission denied" };
    log.follow([taken, denied], 4000);
    expect(said).toEqual([]);
    log.follow([taken, denied], 4000 + MINUTE);
    expect(said.splice(0)).toEqual([`warn ${denied.sentence}`]);
  });
});
