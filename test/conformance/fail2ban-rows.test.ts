import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Instance, readInstances, rowsFault, rowsFolder } from "../support/fail2ban-rows.ts";
import { type ConvertedRows, convertAll, disagreements } from "../support/row-results.ts";
import { titled } from "../support/namespace.ts";

/**
 * Law: the filters of fail2ban's package, converted, read the rows of fail2ban's own tests as fail2ban does: in their order, for every set of
 * options. Rows that they read otherwise are here with the reason.
 */
const OTHERWISE: readonly {
  readonly filter: string;
  readonly rows: readonly number[];
  readonly fact: RegExp;
  readonly reason: string;
}[] = [
  {
    filter: "3proxy",
    rows: [2, 4, 6],
    fact: /^time /,
    reason:
      "The line names its zone, +0300. fail2ban's template for this shape of date ignores it and takes the machine's.",
  },
  {
    filter: "dovecot",
    rows: [2, 5, 8, 10],
    fact: /^time /,
    reason:
      "TAI64N counts from 10 s after UTC did: Stoplog subtracts them, as tai64nlocal does. fail2ban is 10 s late.",
  },
  {
    filter: "monit",
    rows: [3, 5, 24],
    fact: /^no time$/,
    reason:
      "A zone's abbreviation before the date, PDT, is not read: several zones share most of them. The line counts as now.",
  },
];

/** A test filter of fail2ban's with a dozen patterns over ten lines. */
const MANY_WIDE = /^zzz-sshd-obsolete-multiline\[/;

/** Rows of Debian's release: fewer would mean that the reader of the samples misses some. */
const LEAST_ROWS = 1620;

/** Milliseconds: half a minute on a busy machine, twice that where tests run side by side. */
const PATIENCE = 120_000;

const instances = rowsFault === null ? readInstances() : [];

describe.skipIf(rowsFault !== null)(titled("the rows of fail2ban's own tests", rowsFault), () => {
  let folder = "";
  let converted: readonly ConvertedRows[] = [];
  beforeAll(() => {
    folder = rowsFolder(instances);
    converted = convertAll(folder, instances.length);
  }, PATIENCE);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are all read", () => {
    expect(instances.reduce((sum, { rows }) => sum + rows.length, 0)).toBeGreaterThanOrEqual(LEAST_ROWS);
  });

  it.each(["fast", "naive"] as const)(
    "are what fail2ban says, by the %s engine",
    (engine) => {
      const found = instances.flatMap((instance, i) => factsOf(instance, converted[i], engine));
      expect(found.toSorted()).toEqual(expected.toSorted());
    },
    PATIENCE,
  );
});

function factsOf(
  instance: Instance,
  converted: ConvertedRows | undefined,
  engine: "fast" | "naive",
): string[] {
  const list = disagreements(instance, converted?.definition ?? null, engine);
  if (list === null && engine === "naive" && MANY_WIDE.test(instance.call)) return [];
  if (list === null) return [`${instance.call}: a pattern was given up`];
  return list.map(({ row, fact }) => {
    const known = OTHERWISE.find(
      ({ filter, rows, fact: kind }) =>
        filter === instance.call && rows.includes(row.number) && kind.test(fact),
    );
    return known === undefined
      ? `${instance.call}: ${row.file}:${row.number}: ${fact}`
      : named(known.filter, row.number);
  });
}

const expected = OTHERWISE.flatMap(({ filter, rows }) => rows.map((number) => named(filter, number)));

function named(filter: string, number: number): string {
  return `${filter}: ${number}: as in OTHERWISE`;
}
