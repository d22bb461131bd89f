import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

/** The files of a package as they will be installed, below a folder. Modes and times do not depend on this machine. */
export class Tree {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  at(path: string): string {
    const place = join(this.folder, path);
    mkdirSync(dirname(place), { recursive: true });
    return place;
  }

  write(path: string, text: string | Uint8Array): void {
    writeFileSync(this.at(path), text);
  }

  /** Compressed as Debian's policy wants it; the header of gzip has no time. */
  writeGzip(path: string, text: string): void {
    this.write(`${path}.gz`, gzipSync(text, { level: 9 }));
  }

  copy(from: string, path: string): void {
    copyFileSync(from, this.at(path));
  }

  /** Copies a folder with the files that `keep` accepts. */
  copyFolder(from: string, path: string, keep: (file: string) => boolean = () => true): void {
    for (const name of readdirSync(from, { recursive: true, encoding: "utf8" }))
      if (statSync(join(from, name)).isFile() && keep(name)) this.copy(join(from, name), join(path, name));
  }

  /** Copies a program or a native part without its symbols. Node is large: it is stripped once for all packages. */
  copyStripped(from: string, path: string, strip: string): void {
    const earlier = [stripped.get(from) ?? ""].find((path) => existsSync(path));
    this.copy(earlier ?? from, path);
    if (earlier !== undefined) return;
    const remove = ["--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", this.at(path)];
    execFileSync(strip, remove, { stdio: ["ignore", "ignore", "inherit"] });
    stripped.set(from, this.at(path));
  }

  link(path: string, target: string): void {
    symlinkSync(target, this.at(path));
  }

  move(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
    rmdirSync(dirname(this.at(from)));
  }

  /** Sets every mode and time; `programs` are the paths that can be executed. The last step before packing. */
  settle(programs: ReadonlySet<string>, epoch: number): void {
    for (const { path, kind } of this.#entries()) {
      const place = join(this.folder, path);
      if (kind !== "link") chmodSync(place, kind === "folder" || programs.has(path) ? 0o755 : 0o644);
      lutimesSync(place, epoch, epoch);
    }
  }

  /** Paths of all regular files, sorted. */
  files(): readonly string[] {
    return this.#entries().flatMap(({ path, kind }) => (kind === "file" ? [path] : []));
  }

  /** Files before their folders: writing a file changes the folder's time. */
  #entries(below = ""): readonly { readonly path: string; readonly kind: "file" | "folder" | "link" }[] {
    const names = readdirSync(join(this.folder, below), { withFileTypes: true });
    const sorted = names.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const inner = sorted.flatMap((entry) => {
      const path = join(below, entry.name);
      if (entry.isDirectory()) return this.#entries(path);
      return [{ path, kind: entry.isSymbolicLink() ? ("link" as const) : ("file" as const) }];
    });
    return [...inner, { path: below, kind: "folder" }];
  }
}

/** Where a stripped copy of a file is. */
const stripped = new Map<string, string>();
