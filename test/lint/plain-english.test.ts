import { describe, expect, it } from "vitest";
import { checkFiles, checkWords } from "../../scripts/check-words.mjs";

describe("the list of words to avoid", () => {
  it("finds them in no file that is checked in", () => {
    expect(checkFiles([])).toEqual([]);
  });

  it("names the line, the word and what to write instead", () => {
    expect(checkWords("// Bans the address.\n// Whoever asks is banned anew.\n")).toEqual([
      { line: 2, word: "Whoever", instead: "name the client, address, operator or process" },
      { line: 2, word: "anew", instead: "again" },
    ]);
  });

  it("skips a line that says so", () => {
    expect(checkWords("owner: nobody // words: ok, a user of that name")).toEqual([]);
  });
});
