import type { Host } from "./host.ts";

/** A mounted file system. */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly isReadOnly: boolean;
}

/** The mount of a path, from /proc/self/mountinfo (proc_pid_mountinfo(5)); null when unknown. */
export function mountOf(host: Host, path: string): Mount | null {
  let found: Mount | null = null;
  for (const line of (host.read("/proc/self/mountinfo") ?? "").split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const fields = left.split(" ");
    const point = unescaped(fields[4] ?? "");
    const isAbove = point === "/" || path === point || path.startsWith(`${point}/`);
    // The last mount on a point covers the others.
    if (point === "" || !isAbove || (found !== null && point.length < found.point.length)) continue;
    const isReadOnly = (fields[5] ?? "").split(",").includes("ro");
    found = { point, type: right.split(" ")[0] ?? "", isReadOnly };
  }
  return found;
}

/** Spaces are written as `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
