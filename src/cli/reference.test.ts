import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../config/package-root.ts";
import { renderCliReference } from "./reference.ts";

const page = renderCliReference();

describe("renderCliReference()", () => {
  it("has a section for every command of the contract, and none for hidden ones", () => {
    const sections = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
    expect(sections).toEqual(
      expect.arrayContaining([
        "run",
        "check",
        "status",
        "list",
        "ban",
        "unban",
        "why",
        "reload",
        "test",
        "import",
        "completion",
        "demo",
      ]),
    );
    expect(sections).not.toContain("complete");
  });

  it("shows usage, arguments and options with their defaults", () => {
    expect(page).toContain("stoplog ban [options] <address...>");
    expect(page).toContain("- `--for <duration>`: how long");
    expect(page).toContain("- `--missed <number>`: how many missed lines to show (default: 5)");
  });

  it("is up to date", () => {
    expect(readFileSync(join(packageRoot(), "docs/reference/cli.md"), "utf8")).toBe(page);
  });

  it("does not depend on the machine", () => {
    expect(page).not.toMatch(/\/(home|root|tmp|work)\//);
    expect(page.endsWith("\n")).toBe(true);
  });
});
