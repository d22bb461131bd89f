import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StoplogError } from "../core/errors.ts";

/**
 * The package's directory, which contains filters/. Searched upwards from this file: it runs from src/ in a checkout, and from dist/ or
 * dist/chunks/ in a bundle.
 */
export function packageRoot(from: string = fileURLToPath(import.meta.url)): string {
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    if (isStoplog(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) {
      throw new StoplogError(`Cannot find Stoplog's own files: no package.json of stoplog above ${from}`);
    }
  }
}

function isStoplog(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const content = JSON.parse(readFileSync(file, "utf8")) as { name?: unknown } | null;
    return content?.name === "stoplog";
  } catch {
    return false; // another package's broken package.json
  }
}
