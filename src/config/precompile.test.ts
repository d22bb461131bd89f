import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { compileFilter, type FilterDefinition, useCompilations } from "../match/filter/filter.ts";
import { freezeFilter } from "../match/filter/frozen-filter.ts";
import { loadFilterFile } from "./find-filter.ts";
import { precompileLibrary, usePrecompiled } from "./precompile.ts";

afterEach(() => useCompilations(() => undefined));

function library(name: string): FilterDefinition {
  const { definition } = loadFilterFile(name);
  if (definition === null) throw new Error(`there is no filter ${name}`);
  return definition;
}

/** All that can be compared of a filter: its plain data. */
function dataOf(definition: FilterDefinition): unknown {
  const { filter, problems } = compileFilter(definition);
  return { problems, data: filter === null ? null : freezeFilter(filter, undefined) };
}

describe("the library compiled at the build", () => {
  it("equals what would be compiled now, and is used for exactly these definitions", () => {
    const directory = mkdtempSync(join(tmpdir(), "stoplog-precompile-"));
    const file = join(directory, "filters.bin");
    writeFileSync(file, precompileLibrary());
    const now = dataOf(library("sshd"));
    const edited = { ...library("sshd"), failregex: ["^other from <HOST>$"] };
    const editedNow = dataOf({ ...edited });
    usePrecompiled(file);
    rmSync(directory, { recursive: true });
    expect(dataOf(library("sshd"))).toEqual(now);
    expect(dataOf(edited)).toEqual(editedNow);
  });

  it("is optional", () => {
    usePrecompiled("/nowhere/filters.bin");
    expect(compileFilter({ ...library("sshd") }).filter?.name).toBe("sshd");
  });
});
