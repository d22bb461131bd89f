import { readFileSync } from "node:fs";
import { StoplogError } from "../../core/errors.ts";

/** The ID of a user given by name or ID, from /etc/passwd. Throws a StoplogError for an unknown name. */
export function userId(user: string | number): number {
  return idOf(user, "user", "/etc/passwd");
}

/** The ID of a group given by name or ID, from /etc/group. Throws a StoplogError for an unknown name. */
export function groupId(group: string | number): number {
  return idOf(group, "group", "/etc/group");
}

function idOf(name: string | number, kind: string, file: string): number {
  if (typeof name === "number") return name;
  if (/^\d+$/.test(name)) return Number(name);
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [found, , id] = line.split(":");
    if (found === name) return Number(id);
  }
  throw new StoplogError(`Cannot find the ${kind} ${name}: not in ${file} (a numeric ID works too)`);
}
