import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import { loginInSession } from "./logind.ts";
import { type Login, loginsInUtmp } from "./utmp.ts";

/** Where a machine writes down who is logged in. */
export interface LoginFiles {
  readonly utmp: string;
  readonly sessions: string;
}

const FILES: LoginFiles = { utmp: "/run/utmp", sessions: "/run/systemd/sessions" };

/**
 * The addresses from which users are logged in now, by utmp and logind. Both are written by root after the log-in; a connection alone
 * is in neither. A session whose process is gone is over.
 */
export function loggedInFrom(files: LoginFiles = FILES): readonly Address[] {
  const logins = [...utmpLogins(files.utmp), ...sessionLogins(files.sessions)];
  return logins.filter(({ pid }) => isAlive(pid)).map(({ address }) => address);
}

function utmpLogins(path: string): readonly Login[] {
  try {
    return loginsInUtmp(readFileSync(path), process.arch === "arm64");
  } catch {
    return []; // not every system has one
  }
}

function sessionLogins(folder: string): readonly Login[] {
  try {
    const names = readdirSync(folder).filter((name) => /^[A-Za-z0-9]+$/.test(name));
    return names.slice(0, LIMITS.sessions.value).flatMap((name) => loginOf(join(folder, name)) ?? []);
  } catch {
    return [];
  }
}

function loginOf(path: string): Login | null {
  try {
    return loginInSession(readFileSync(path, "utf8"));
  } catch {
    return null; // over in the meantime
  }
}

/** Signal 0 only asks; EPERM means that the process is there and belongs to another user. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
