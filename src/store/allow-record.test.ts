import { expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";
import { allowLine, type AllowRecord, readAllow } from "./allow-record.ts";

const prefix = parsePrefix("192.0.2.0/24") as Prefix;

it.each<AllowRecord>([
  { kind: "allow", prefix, since: 1, until: 5, origin: 'a "scorer"\n' },
  { kind: "allow", prefix, since: 1, until: FOREVER, origin: "operator" },
  { kind: "unallow", prefix, at: 7 },
])("reads back what was written: %o", (record) => {
  const line = allowLine(record);
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(readAllow(line.trimEnd())).toEqual(record);
});

it.each([
  '{"bans":["192.0.2.1"],"target":"default"}',
  '{"allow":"192.0.2.0/24","since":1,"until":5,"orig',
  '{"allow":"nonsense","since":1,"until":5,"origin":""}',
  '{"allow":"192.0.2.1","since":1,"origin":""}',
  '{"unallow":"192.0.2.1"}',
  '{"unallow":5,"at":1}',
])("reads nothing else: %s", (line) => {
  expect(readAllow(line)).toBeNull();
});
