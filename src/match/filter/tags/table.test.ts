import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../core/address.ts";
import { explainLine } from "../../explain.ts";
import { readTimestamp } from "../../time/read-timestamp.ts";
import { fixedZone } from "../../time/time-zone.ts";
import { type Compilation, compileFilter, type FilterDefinition } from "../filter.ts";
import { tagReference } from "./reference.ts";
import { ADDRESS_GROUPS, FAIL2BAN_TAG, HOST_GROUPS, NAMES_HOST, TAGS, textTag } from "./table.ts";

const compilations = new WeakMap<object, Compilation>();
const context = { now: Date.UTC(2026, 10, 20, 15), zone: fixedZone(0) };

function compiled(parts: Partial<FilterDefinition>) {
  return compileFilter({ name: "x", failregex: [], ignoreregex: [], goodregex: [], ...parts });
}

/** Whether a pattern finds a failure in the line, and whose. Lines that are asked about with the same parts are of one log. */
function hostIn(parts: Partial<FilterDefinition>, line: string): string | null {
  const compilation = compilations.get(parts) ?? compiled(parts);
  compilations.set(parts, compilation);
  const { filter, problems } = compilation;
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  const explanation = explainLine(filter, line, context);
  if (!("match" in explanation)) return null;
  const { address } = explanation.match;
  return address === null ? null : formatAddress(address);
}

describe("the table of tags", () => {
  it.each(TAGS.map((tag) => [tag.name, tag] as const))("has an example of %s that holds", (name, tag) => {
    const { pattern, line, daemon, maxlines } = tag.example;
    expect(pattern).toMatch(new RegExp(`<${name}/?>`));
    const parts = {
      failregex: pattern.split("\n"),
      ...(daemon && { daemon }),
      ...(maxlines && { maxlines }),
    };
    expect(compiled(parts).problems).toEqual([]);
    const found = line.split("\n").map((one) => hostIn(parts, one));
    expect(["192.0.2.1", "2001:db8::1"]).toContain(found.at(-1));
  });

  it("names every tag once, with a linear pattern", () => {
    expect(new Set(TAGS.map(({ name }) => name)).size).toBe(TAGS.length);
    for (const tag of TAGS) {
      if (tag.kind !== "text") continue;
      const failregex = [`x<${tag.name}>y (?P<host>z)`];
      const { filter } = compiled({ failregex, daemon: "x", maxlines: tag.example.maxlines ?? 1 });
      expect(filter?.patterns[0]?.cost, tag.name).toBe("linear");
    }
  });

  it("says which groups hold the host, the most telling first", () => {
    expect(HOST_GROUPS).toEqual(["fid", "ip4", "ip6", "ip", "addr", "host", "dns"]);
    expect([...ADDRESS_GROUPS].toSorted()).toEqual(["addr", "ip4", "ip6"]);
  });

  it.each(["x <HOST>", "<F-ID/>", "(?P<host>.*)", "(?<ip>.*)", "<SUBNET>"])(
    "knows that %s names the host",
    (text) => expect(NAMES_HOST.test(text)).toBe(true),
  );

  it.each(["sshd", "./my-filter.yaml", "<DATE>", "<F-USER>x</F-USER>", "(?P<user>x)"])(
    "knows that %s does not",
    (text) => expect(NAMES_HOST.test(text)).toBe(false),
  );

  it.each([
    ["<HOST>", true],
    ["<F-USER>", true],
    ["</F-USER>", true],
    ["<F-ID/>", true],
    ["<F-ADDR/>", true],
    ["<F-USER/>", false],
    ["<SYSLOG>", false],
    ["<DATE>", false],
    ["<W>", false],
  ])("knows whether fail2ban has %s: %s", (tag, has) => expect(FAIL2BAN_TAG.test(tag)).toBe(has));

  it("is in the reference (else: node scripts/run-ts.mjs scripts/generate-reference.ts)", () => {
    const page = new URL("../../../../docs/reference/filter-tags.md", import.meta.url);
    expect(readFileSync(page, "utf8")).toBe(tagReference());
  });
});

describe("<DATE>", () => {
  const date = new RegExp(`^${String(textTag("DATE")?.regex)}$`);

  it.each([
    "Nov 20 14:44:48",
    "Nov  2 14:44:48",
    "Nov 20 2026 14:44:48",
    "Fri Nov 20 14:44:48.123 2026",
    "2026-11-20T14:44:48.123Z",
    "2026-11-20 14:44:48,123 +01:00",
    "2026-11-20 14:44:48 UTC",
    "2026/11/20 14:44:48",
    "20261120T144448",
    "20261120T144448Z",
    "20/Nov/2026:14:44:48 +0000",
    "20-Nov-2026 14:44:48.123",
    "20 Nov 2026 14:44:48",
    "Fri, 20 Nov 2026 14:44:48 GMT",
    "1795185888.123",
    "1795185888",
    "261120 14:44:48",
  ])("is every shape whose time is read: %s", (text) => {
    expect(readTimestamp(`${text} x`, context.now, context.zone)).not.toBeNull();
    expect(date.test(text)).toBe(true);
  });

  it.each([
    "CET Nov 20 14:44:48",
    "Nov 20, 2026 2:44:48 PM",
    "11/20/2026:14:44:48",
    "14:44:48",
    "20261120 144448",
  ])("is what fail2ban takes for a date, too: %s", (text) => expect(date.test(text)).toBe(true));

  it.each(["door", "", "192.0.2.1", "2026-11-20", "14:44", "Nov 20", "Nov 20 14:44:48 from 192.0.2.1"])(
    "is not '%s'",
    (text) => expect(date.test(text)).toBe(false),
  );

  it("may be redefined by a filter, as a tag of an older filter may have that name", () => {
    expect(hostIn({ define: { DATE: "day" }, failregex: ["^<DATE> <HOST>$"] }, "day 192.0.2.1")).toBe(
      "192.0.2.1",
    );
  });
});
