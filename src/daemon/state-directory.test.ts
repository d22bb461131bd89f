import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { StateDirectory } from "./state-directory.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-state-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("is made for its user alone, and warns at each start and reload as long as others can write there", async () => {
  const path = join(folder, "state");
  const said: string[] = [];
  const directory = new StateDirectory(path, (sentence) => said.push(sentence));
  await directory.follow();
  expect([statSync(path).mode & 0o777, said, directory.warnings()]).toEqual([0o700, [], []]);
  chmodSync(path, 0o777);
  await directory.follow();
  const warning = `State directory ${path}: every user can write it (mode 777); cure: chmod o-w ${path}`;
  expect([said, directory.warnings()]).toEqual([[warning], [warning]]);
  chmodSync(path, 0o700);
  await directory.follow();
  expect([said, directory.warnings()]).toEqual([[warning], []]);
});
