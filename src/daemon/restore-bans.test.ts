import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { BANS_FILE, endLine, HEAD_LINE } from "../store/read-bans.ts";
import { restoreBans } from "./restore-bans.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stoplog-restore-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const BAN =
  '{"bans":["192.0.2.1"],"target":"default","jail":"","reason":"","since":1,"until":null,"origin":""}\n';

it.each<[string, string | null, readonly (number | undefined)[]]>([
  ["everything that it can where the journal is missing", null, [300_000]],
  ["everything that it can where the journal is damaged", `${HEAD_LINE}${BAN}nonsense\n`, [300_000]],
  ["as much as is quick after a crash with a sound journal", `${HEAD_LINE}${BAN}`, [undefined]],
  ["nothing where the journal ended cleanly", `${HEAD_LINE}${BAN}${endLine(5)}`, []],
])("reads back from the firewall %s", async (_, text, expected) => {
  if (text !== null) writeFileSync(join(directory, BANS_FILE), text);
  const book = new Book({ capacity: 10, changes: 10 });
  const asked: (number | undefined)[] = [];
  const targets = {
    needsUnban: false,
    leftOver: async (_now: number, most?: number) => {
      asked.push(most);
      return [];
    },
  };
  const silent = { info: () => undefined, warn: () => undefined };
  await restoreBans(directory, { book, targets, allows: { restore: () => undefined }, log: silent }, 10);
  expect(asked).toEqual(expected);
  expect(book.size).toBe(text === null ? 0 : 1);
});
