import { parseGlob } from "../source/file/glob.ts";
import type { Host } from "./host.ts";

/** A block of logrotate's configuration. */
export interface Rotation {
  /** The file that contains it. */
  readonly path: string;
  /** Whether it truncates the log instead of renaming it. */
  readonly copies: boolean;
  rotates(file: string): boolean;
}

/** All blocks. A setting outside of blocks applies to the blocks after it; in the main file, also to all other files. */
export function readRotations(host: Host): readonly Rotation[] {
  const main = read(host, MAIN, false);
  const rest = host.list(FOLDER).flatMap((name) => read(host, `${FOLDER}/${name}`, main.copies).rotations);
  return [...main.rotations, ...rest];
}

const MAIN = "/etc/logrotate.conf";
const FOLDER = "/etc/logrotate.d";

function read(host: Host, path: string, inherited: boolean) {
  const text = (host.read(path) ?? "").replace(/^\s*#.*$/gm, "");
  const rotations: Rotation[] = [];
  let from = 0;
  let copies = inherited;
  for (const block of text.matchAll(/([^{]*)\{([^}]*)\}/gy)) {
    const [whole, before = "", inside = ""] = block;
    const files = before.split(/\s+/).flatMap((word) => /^"?(\/[^"]*)"?$/.exec(word)?.[1] ?? []);
    copies = chosen(before, copies);
    rotations.push({
      path,
      copies: chosen(inside, copies),
      rotates: (file) => files.some((pattern) => standsFor(pattern, file)),
    });
    from = block.index + whole.length;
  }
  return { rotations, copies: chosen(text.slice(from), copies) };
}

function chosen(text: string, before: boolean): boolean {
  const last = [...text.matchAll(/^\s*(no)?copytruncate\s*$/gm)].at(-1);
  return last === undefined ? before : last[1] === undefined;
}

/** Compares the parts of the path, without the file system. */
function standsFor(pattern: string, file: string): boolean {
  const glob = parseGlob(pattern);
  if (typeof glob === "string") return false;
  const names = file.split("/").filter(Boolean);
  return glob.ways.some(
    (parts) =>
      parts.length === names.length &&
      parts.every((part, i) => {
        const name = names[i] ?? "";
        return part.kind === "name" ? part.name === name : part.kind === "pattern" && part.matches(name);
      }),
  );
}
