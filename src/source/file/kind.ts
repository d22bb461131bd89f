import { LIMITS } from "../../core/limits.ts";
import { type SourceKind, sourceKeys, type SourceOptions, type Values } from "../kind.ts";
import { parseGlob } from "./glob.ts";

export interface FileOptions extends SourceOptions {
  readonly type: "file";
  /** Absolute; `*`, `?`, `[…]`, `{a,b}` and `**` are wildcards. */
  readonly path: string | readonly string[];
  /** Where reading begins in a file that exists at the start and was never read; `end` unless set. */
  readonly start?: "beginning" | "end" | undefined;
  /** Files followed at once; 1024 unless set. */
  readonly maxFiles?: number | undefined;
  /** Unread bytes of rotated files that are read after a restart, for each log, uncompressed; 1 GiB unless set. */
  readonly maxRotated?: number | undefined;
  /** Unread bytes of each file; beyond them, the newest lines of a growing file come first. 64 MiB unless set. */
  readonly maxBehind?: number | undefined;
  /** Parts of one file that are postponed; 32 unless set. */
  readonly maxGaps?: number | undefined;
}

export const START = "end";

/** Log files, followed through rotation. */
export const file: SourceKind<FileOptions> = {
  name: "file",
  summary: "Log files, followed through rotation and truncation.",
  description: "Lines of log files.",
  gives: "lines",
  takes: ["orders", "max_line", "timezone"],
  options: sourceKeys(
    (v) => ({
      path: v.oneOrMore(globPath(v), "an absolute path or a list of them").meta({
        description:
          "An absolute path. `*`, `?`, `[…]`, `{a,b}` and `**` match files that exist now or appear later.",
        examples: ["/var/log/auth.log", ["/var/log/nginx/*.log", "/srv/*/error.log"]],
      }),
      start: v
        .word(["end", "beginning"])
        .default(START)
        .meta({
          description: "Where reading begins in a file that exists at the start and was never read before.",
          examples: ["beginning"],
        }),
      max_behind: v
        .wholeNumber(1 << 20, 2 ** 40)
        .default(LIMITS.behind.value)
        .meta({
          description: `Unread bytes of each file. When a growing file has more, ${LIMITS.behind.full}.`,
          examples: [16_777_216],
        }),
    }),
    ({ path: [first, ...more], start, max_behind: maxBehind }): FileOptions => ({
      type: "file",
      path: first !== undefined && more.length === 0 ? first : [first ?? "", ...more],
      start,
      maxBehind,
    }),
  ),
  needs: ({ path }) => {
    const paths = typeof path === "string" ? [path] : path;
    return {
      unit: [
        ...(paths.some((one) => /^\/(?:home|root|run\/user)\//.test(one)) ? ["ProtectHome=read-only"] : []),
        ...(paths.some((one) => /^\/(?:var\/)?tmp\//.test(one)) ? ["PrivateTmp=no"] : []),
      ],
    };
  },
  presentEnd: async (options) => (await import("./present-end.ts")).presentEnd(options),
  open: async (name, options, saved) =>
    new (await import("./file-source.ts")).FileSource(name, options, saved),
};

function globPath(v: Values) {
  return v.path().superRefine((value, context) => {
    const glob = parseGlob(value);
    if (typeof glob === "string")
      context.addIssue({ code: "custom", message: `cannot be followed: ${glob}` });
  });
}
