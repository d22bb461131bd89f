import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Contents, type CorpusSpec, generate } from "./corpus.ts";

/** A corpus on disk and its known counts. */
export interface Corpus extends Contents {
  readonly path: string;
}

/** The folder for all files of the bench. */
export const workFolder = join(tmpdir(), "stoplog-bench");

/** Makes a corpus, or reuses today's with the same parameters. */
export function corpusFile(spec: CorpusSpec, now: number): Corpus {
  const folder = join(workFolder, "corpora");
  mkdirSync(folder, { recursive: true });
  const today = new Date(now).toISOString().slice(0, 10);
  const name = createHash("sha256")
    .update(JSON.stringify([VERSION, today, spec]))
    .digest("hex")
    .slice(0, 16);
  const path = join(folder, `${spec.service}-${name}.log`);
  const contents = `${path}.json`;
  if (existsSync(path) && existsSync(contents)) {
    utimesSync(path, new Date(), new Date());
    return { ...(JSON.parse(readFileSync(contents, "utf8")) as Contents), path };
  }
  makeRoom(folder);
  const made = writeCorpus(spec, path, now);
  writeFileSync(contents, JSON.stringify(made));
  return { ...made, path };
}

/** Writes a corpus whose last line has the time `end`. */
export function writeCorpus(spec: CorpusSpec, path: string, end: number): Contents {
  const fd = openSync(`${path}.tmp`, "w");
  try {
    const blocks = generate(spec, end);
    for (let next = blocks.next(); ; next = blocks.next()) {
      if (next.done === true) {
        renameSync(`${path}.tmp`, path);
        return next.value;
      }
      writeSync(fd, next.value, null, "latin1");
    }
  } finally {
    closeSync(fd);
  }
}

/** Raise it when a generator changes: old files are then not reused. */
const VERSION = 3;

const MOST_BYTES = 4e9;

/** Deletes the least recently used files first. */
function makeRoom(folder: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .map((name) => ({ path: join(folder, name), ...pick(statSync(join(folder, name))) }))
    .sort((a, b) => b.used - a.used);
  let total = 0;
  for (const { path, size } of files) {
    total += size;
    if (total <= MOST_BYTES) continue;
    rmSync(path, { force: true });
    rmSync(`${path}.json`, { force: true });
  }
}

function pick(stat: { size: number; mtimeMs: number }): { size: number; used: number } {
  return { size: stat.size, used: stat.mtimeMs };
}
