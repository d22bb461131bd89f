import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/config/package-root.ts";
import { type Answer, runGuest } from "./guest.ts";
import { image } from "./image.ts";
import type { Machine } from "./machines.ts";

/** What a guest told. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
}

/** Boots a machine with the package, lets it run the trial, and says each answer. */
export async function trial(
  machine: Machine,
  minutes: number,
  say: (text: string) => void,
): Promise<Outcome> {
  const logs = join(packageRoot(), ".cache/arm/logs");
  mkdirSync(logs, { recursive: true });
  const consoleLog = join(logs, `${machine.name}-console.log`);
  const failures: string[] = [];
  let passed = 0;
  const hear = ({ kind, name, detail }: Answer): void => {
    if (kind === "passed") passed++;
    if (kind === "failed") failures.push(name);
    if (kind === "log") for (const line of name.split("|")) say(`    | ${line}`);
    else say(`  ${LABELS[kind] ?? kind}  ${name}${detail === "" ? "" : `: ${detail}`}`);
  };
  const work = mkdtempSync(join(packageRoot(), ".cache/arm/work-"));
  try {
    const made = await image(machine, (text) => say(`  ${text}`));
    say(`  boots; its console: ${consoleLog}`);
    const boot = { machine, image: made, trial: archive(machine, work), consoleLog, minutes };
    const problem = await runGuest(boot, hear);
    if (problem !== null) failures.push(problem);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { passed, failures };
}

const LABELS: Readonly<Record<string, string>> = { passed: "ok    ", failed: "FAILED", figure: "figure" };

/** The package and the scripts of the guest. */
function archive({ name }: Machine, work: string): string {
  const content = join(work, "content");
  cpSync(join(import.meta.dirname, "guest"), content, { recursive: true });
  const packages = join(work, "packages");
  const script = ["scripts/run-ts.mjs", "packaging/package.ts", "--format", "deb"];
  execFileSync(process.execPath, [...script, "--only", `stoplog_${name}`, "--out", packages], {
    cwd: packageRoot(),
  });
  const [deb = "none"] = readdirSync(packages);
  copyFileSync(join(packages, deb), join(content, "stoplog.deb"));
  const file = join(work, "trial.tar");
  execFileSync("tar", ["-cf", file, "-C", content, "."]);
  return file;
}
