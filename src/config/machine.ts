import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Instant } from "../core/time.ts";

/** What the built-in configuration needs to know of the machine. */
export interface Machine {
  readonly isRoot: boolean;
  readonly now: Instant;
  /** The machine has a journal, journalctl is installed, and this user can read the journal. */
  readonly hasJournal: boolean;
  exists(path: string): boolean;
  canRead(path: string): boolean;
  /** When a file was last written; null when unknown. */
  changedAt(path: string): Instant | null;
}

/** This machine. */
export function thisMachine(now: Instant): Machine {
  return {
    isRoot: process.geteuid?.() === 0,
    now,
    hasJournal: hasProgram("journalctl") && JOURNALS.some(canRead),
    exists: existsSync,
    canRead,
    changedAt: (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null,
  };
}

/** On disk, or in memory until the next boot. */
const JOURNALS = ["/var/log/journal", "/run/log/journal"];

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}
