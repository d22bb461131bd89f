import { describe, expect, it } from "vitest";
import { parseIni, SYSTEMD } from "./ini.ts";

function values(text: string): Record<string, Record<string, string>> {
  const { sections } = parseIni(text, "x.conf");
  const plain = [...sections].map(([name, section]) => [
    name,
    Object.fromEntries([...section].map(([option, { text: value }]) => [option, value])),
  ]);
  return Object.fromEntries(plain) as Record<string, Record<string, string>>;
}

describe("parseIni()", () => {
  it("reads options with = and :, names in lower case, sections by the last bracket", () => {
    expect(values("[a]\nOne = 1\ntwo: 2=3\n[b?family=inet6]\nthree =\n")).toEqual({
      a: { one: "1", two: "2=3" },
      "b?family=inet6": { three: "" },
    });
  });

  it("joins indented lines, skips comments in them and keeps blank ones", () => {
    const text = "[a]\nlog = /x\n   # not this\n  /y ; nor this\n\n  /z;but this\nnext = 1\n";
    expect(values(text)).toEqual({ a: { log: "/x\n/y\n\n/z;but this", next: "1" } });
  });

  it("returns the place of each option, and what fail2ban would refuse", () => {
    const { sections, faults } = parseIni("lost = 1\n[a]\nx = 1\nx = 2\nnothing\n[a]\n", "x.conf");
    expect(sections.get("a")?.get("x")).toEqual({ text: "2", file: "x.conf", line: 4 });
    expect(faults.map(({ line }) => line)).toEqual([1, 4, 5, 6]);
  });

  it("reads lines that end in CR LF", () => {
    expect(values("[a]\r\nx = 1\r\n  2\r\n")).toEqual({ a: { x: "1\n2" } });
  });

  it("reads files of systemd: no continuation lines, = alone, ; within values", () => {
    const text = "[Journal]\n  Storage=none\n  RateLimitBurst = 5 ; 6\nA:B=c\n[Journal]\nStorage=auto\n";
    const { sections } = parseIni(text, "journald.conf", SYSTEMD);
    expect([...(sections.get("Journal") ?? [])].map(([key, { text: value }]) => [key, value])).toEqual([
      ["storage", "auto"],
      ["ratelimitburst", "5 ; 6"],
      ["a:b", "c"],
    ]);
  });
});
