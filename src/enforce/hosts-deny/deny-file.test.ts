import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatPrefix, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { FOREVER } from "../../core/time.ts";
import { type DenyEntry, denyFileText, readDenyFile } from "./deny-file.ts";

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
};

describe("a hosts.deny", () => {
  it("is written in the format of hosts_access(5)", () => {
    const of = (text: string, until: number): DenyEntry => ({
      prefix: prefix(text),
      target: "default",
      services: "ALL",
      until,
    });
    const entries = [
      of("192.0.2.1", 1_795_132_800_000),
      of("198.51.100.0/23", FOREVER),
      of("2001:db8::1", 1500),
      of("2001:db8::/32", 2000),
    ];
    expect([...denyFileText({ others: ["# mine\n", "ALL: PARANOID"], entries })].join("")).toBe(
      `# mine
ALL: PARANOID
# stoplog:1795132800 default
ALL: 192.0.2.1
# stoplog:0 default
ALL: 198.51.100.0/255.255.254.0
# stoplog:2 default
ALL: [2001:db8::1]
# stoplog:2 default
ALL: [2001:db8::]/32
`,
    );
  });

  it("is read back as written, among any other lines", () => {
    const entry = fc.record({
      prefix: fc
        .constantFrom("192.0.2.1", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/33")
        .map(prefix),
      target: fc.constantFrom("default", "slow.1"),
      services: fc.constantFrom("ALL", "sshd, vsftpd"),
      until: fc.oneof(
        fc.constant(FOREVER),
        fc.integer({ min: 1, max: 2e9 }).map((s) => s * 1000),
      ),
    });
    const other = fc.constantFrom(
      "",
      "ALL: 192.0.2.9",
      "# stoplog:x y",
      "#",
      "\xff\x00 :",
      "sshd: .example : spawn x",
    );
    fc.assert(
      fc.property(fc.array(entry), fc.array(other), (entries, lines) => {
        const others = lines.map((line) => `${line}\n`);
        const read = readDenyFile([...denyFileText({ others, entries })].join(""));
        expect(read.others).toEqual(others);
        const plain = (one: DenyEntry) => ({ ...one, prefix: formatPrefix(one.prefix) });
        expect(read.entries.map(plain)).toEqual(entries.map(plain));
      }),
    );
  });

  it("keeps lines that are only half ours", () => {
    const text = "# stoplog:0 default\n# stoplog:5 default\nALL: other.example\n# stoplog:5 default\n";
    const { others, entries } = readDenyFile(text);
    expect([others.join(""), entries]).toEqual([text, []]);
  });
});
