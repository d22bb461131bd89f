import { describe, expect, it } from "vitest";
import { answerText } from "./answer-text.ts";
import { repr, reprTuple } from "./python-text.ts";

const FILTER = [
  "Filter",
  [
    ["Currently failed", 3],
    ["Total failed", 40],
    ["File list", ["/a", "/b"]],
  ],
];
const ACTIONS = [
  "Actions",
  [
    ["Currently banned", 1],
    ["Banned IP list", ["192.0.2.1"]],
  ],
];
const text = (command: string, value: unknown): string => answerText(command.split(" "), value);

describe("answerText()", () => {
  it("draws the status as a tree", () => {
    expect(
      text("status", [
        ["Number of jail", 2],
        ["Jail list", "sshd, web"],
      ]),
    ).toBe("Status\n|- Number of jail:\t2\n`- Jail list:\tsshd, web");
    expect(text("status sshd", [FILTER, ACTIONS])).toBe(
      [
        "Status for the jail: sshd",
        "|- Filter",
        "|  |- Currently failed:\t3",
        "|  |- Total failed:\t40",
        "|  `- File list:\t/a /b",
        "`- Actions",
        "   |- Currently banned:\t1",
        "   `- Banned IP list:\t192.0.2.1",
      ].join("\n"),
    );
    expect(text("status --all", [["Jail list", "a, b"], { a: [FILTER], b: [ACTIONS] }])).toBe(
      [
        "Status",
        "|- Jail list:\ta, b",
        "|- Status for the jail: a",
        "|  `- Filter",
        "|     |- Currently failed:\t3",
        "|     |- Total failed:\t40",
        "|     `- File list:\t/a /b",
        "`- Status for the jail: b",
        "   `- Actions",
        "      |- Currently banned:\t1",
        "      `- Banned IP list:\t192.0.2.1",
      ].join("\n"),
    );
  });

  it.each([
    ["stop sshd", null, "Jail stopped"],
    ["start sshd", null, "Jail started"],
    ["flushlogs", "flushed", "logs: flushed"],
    ["echo a b", ["a", "b"], "a b"],
    ["version", "1.1.0", "1.1.0"],
    ["get loglevel", "INFO", "Current logging level is 'INFO'"],
    ["set loglevel INFO", "INFO", "Current logging level is 'INFO'"],
    ["get logtarget", "STDERR", "Current logging target is:\n`- STDERR"],
    ["get dbfile", null, "Database currently disabled"],
    ["get sshd bantime", 600, "600"],
    ["get sshd ignoreself", true, "True"],
    ["get sshd logpath", [], "No file is currently monitored"],
    ["get sshd logpath", ["/a", "/b"], "Current monitored log file(s):\n|- /a\n`- /b"],
    ["set sshd addignoreip ::1", ["::1"], "These IP addresses/networks are ignored:\n`- ::1"],
    ["get sshd failregex", ["a", "b"], "The following regular expression are defined:\n|- [0]: a\n`- [1]: b"],
    ["get sshd journalmatch", [["a", "b"], ["c"]], "Current match filter:\na b + c"],
    ["get sshd datepattern", ["%s", "Epoch"], "Current date pattern set to: %s (Epoch)"],
    ["get sshd actions", ["a", "b"], "The jail sshd has the following actions:\na, b"],
    ["get sshd banip", ["192.0.2.1", "::1"], "192.0.2.1 ::1"],
    ["get sshd banip --with-time", ["a", "b"], "a\nb"],
    ["get sshd banip ,", ["a", "b"], "a,b"],
    ["set sshd banip 192.0.2.1", 1, "1"],
    ["banned", [{ sshd: ["192.0.2.1"] }, { web: [] }], "[{'sshd': ['192.0.2.1']}, {'web': []}]"],
    ["constructor", "x", "x"],
    ["get sshd toString", 1, "1"],
  ])("prints %s", (command, value, expected) => expect(text(command, value)).toBe(expected));

  it("prints values as Python does", () => {
    expect(repr(["it's", 'say "x"', `'"`, "a\\b\n", null, true, 0.5])).toBe(
      `["it's", 'say "x"', '\\'"', 'a\\\\b\\n', None, True, 0.5]`,
    );
    expect(reprTuple([1, "a"])).toBe("(1, 'a')");
  });
});
