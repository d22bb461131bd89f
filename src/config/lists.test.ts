import { describe, expect, it } from "vitest";
import { LIMITS } from "../core/limits.ts";
import { DAY, HOUR } from "../core/time.ts";
import { good, read } from "../../test/support/read-config-text.ts";

describe("lists in a configuration", () => {
  it("need a file, directory or URL, and have defaults for the rest", () => {
    const { lists, notes } = good(
      "lists:\n  bad: { file: /etc/bad.txt }\n  drop: { url: 'https://example.org/drop.txt' }\n",
    );
    const bounds = {
      widestV4: 8,
      widestV6: 16,
      entries: LIMITS.listEntries.value,
      remarks: LIMITS.listRemarks.value,
      bytes: LIMITS.listBytes.value,
    };
    const sway = { grow: 2, shrink: 0.5, difference: 1000, cover: 0.25 };
    expect(lists).toEqual([
      { name: "bad", verdict: "drop", from: { kind: "files", path: "/etc/bad.txt" }, bounds, sway },
      {
        name: "drop",
        verdict: "drop",
        from: { kind: "url", url: "https://example.org/drop.txt", headers: {}, interval: DAY },
        bounds,
        sway,
      },
    ]);
    expect(notes).toEqual([]);
  });

  it("read every key", () => {
    const { lists } = good(
      "lists:\n  a: { url: 'http://192.0.2.1/x', interval: 2h, headers: { Key: abc }, verdict: count, widest_ipv4: 16, widest_ipv6: 32, grow: 10, shrink: 0.1, entries: 5 }\n  b: { directory: /etc/lists.d, verdict: reject }\n",
    );
    expect(lists[0]).toMatchObject({
      verdict: "count",
      from: { kind: "url", interval: 2 * HOUR, headers: { Key: "abc" } },
      bounds: { widestV4: 16, widestV6: 32, entries: 5 },
      sway: { grow: 10, shrink: 0.1 },
    });
    expect(lists[1]).toMatchObject({ verdict: "reject", from: { kind: "files", path: "/etc/lists.d" } });
  });

  it.each([
    ["a: {}", "it needs one of file, directory, url"],
    ["a: { file: /x, url: 'https://example.org' }", "it needs one of file, directory, url"],
    ["a: { file: bad.txt }", 'file must begin with /, not "bad.txt"'],
    [
      "a: { url: 'ftp://example.org/x' }",
      'url must begin with https:// or http:// and hold no password, not "ftp://example.org/x"',
    ],
    [
      "a: { url: 'https://me:secret@example.org/x' }",
      "url must begin with https:// or http:// and hold no password",
    ],
    [
      "a: { url: 'https://example.org', interval: 5m }",
      "interval must be 1h or more: publishers of lists ask for no more",
    ],
    ["a: { file: /x, interval: 5h }", "interval needs url"],
    ["a: { file: /x, verdict: accept }", 'verdict must be drop, reject or count, not "accept"'],
    ["a: { file: /x, shrink: 2 }", "shrink must be 1 or less"],
    ["a: { file: /x, intervall: 2h }", "unknown key intervall (did you mean interval?)"],
    ["1a: { file: /x }", "the name must begin with a letter"],
    ["a: 5", "it must be a map of keys and values"],
  ])("that say %s are refused", (list, fact) => {
    const { config, errors } = read(`lists:\n  ${list}\n`);
    expect(config).toBeNull();
    expect(errors.join("\n")).toContain(fact);
  });
});
