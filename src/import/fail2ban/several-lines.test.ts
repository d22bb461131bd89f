import { describe, expect, it } from "vitest";
import { imported, JAILS } from "./imported.test-support.ts";

describe("importFail2ban() of patterns for several lines", () => {
  it("keeps patterns of sessions", () => {
    const filter =
      "[Definition]\nprefregex = ^door<F-MLFID>\\d+</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$\nfailregex = ^<F-NOFAIL>knock</F-NOFAIL> <HOST>$\n ^no key$\n";
    const { page } = imported({ ...JAILS, "filter.d/door.conf": filter });
    expect(page.jails["door"]).toMatchObject({
      filter: { failregex: ["^<F-NOFAIL>knock</F-NOFAIL> <HOST>$", "^no key$"] },
    });
  });

  it("keeps patterns that match across line ends, and reports those that cannot", () => {
    const lines = "failregex = ^one <HOST>$\n ^three<SKIPLINES>four <HOST>$\n ^none$\nmaxlines = 500\n";
    const { page, said } = imported({ ...JAILS, "filter.d/door.conf": `[Definition]\n${lines}` });
    expect(page.jails["door"]).toMatchObject({
      filter: {
        maxlines: 50,
        failregex: [
          String.raw`^<DATE>?one (?:<DATE>\s*)?<HOST>$`,
          String.raw`^<DATE>?three<SKIPLINES><DATE>?four (?:<DATE>\s*)?<HOST>$`,
        ],
      },
    });
    const text = said.join("\n");
    expect(text).toContain("door: filter door: maxlines is 500: using 50 (/f/filter.d/door.conf:5)");
    expect(text).toContain("has no <HOST>: it does not say which address to ban: left out");
    const one = imported({
      ...JAILS,
      "filter.d/door.conf": `[Definition]\n${lines.replace("500", "1")}`,
    });
    expect(one.said.join("\n")).toContain("failregex 2: looks for a line end within a line: left out");
  });
});
