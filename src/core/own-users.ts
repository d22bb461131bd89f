import { readFileSync } from "node:fs";
import type { TrustedUsers } from "./who-can-write.ts";

/**
 * Users that may write what this process reads: its own. In a user namespace (`unshare -r`, rootless containers) also the kernel's stand-in
 * for users outside of it, who own `/`: they have all rights there anyway.
 */
export function ownUsers(): TrustedUsers {
  const outside = hasEveryUser() ? [] : [OVERFLOW];
  return { uids: [process.geteuid?.() ?? 0, ...outside], gids: [process.getegid?.() ?? 0, ...outside] };
}

/** Whether this user namespace maps every id, as the machine's first one does. */
function hasEveryUser(): boolean {
  try {
    return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
  } catch {
    return true; // without /proc: the stricter rule
  }
}

/** Linux: /proc/sys/kernel/overflowuid, and overflowgid. */
const OVERFLOW = 65534;
