import { statSync } from "node:fs";
import { cannot, StoplogError } from "../../core/errors.ts";
import { replaceFile } from "../../core/replace-file.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import { type HostsDenyTarget, LIMITS } from "./kind.ts";
import { changeKey, lastChanges, refused } from "../last-changes.ts";
import { HostsAllow } from "./hosts-allow.ts";
import { type DenyEntry, denyFileText, readDenyFile } from "./deny-file.ts";
import { readRegularFile } from "../../core/read-regular-file.ts";

/**
 * Writes bans into files that tcp_wrappers read. Each change reads the file again and replaces it: the operator's lines and edits stay.
 * Bans of an earlier run are known by their first line.
 */
export class HostsDenyEnforcer implements Enforcer {
  readonly kind = "hosts.deny";
  readonly expires = "book";
  readonly #capacity: number;
  #targets: ReadonlyMap<string, HostsDenyTarget> | null = null;
  readonly #allow = new Map<string, HostsAllow>();
  /** Files of targets that have another file now: they are emptied once that one has the bans. */
  readonly #gone = new Set<string>();
  /** By path: the file as we wrote or checked it, and the text of our lines in it. */
  readonly #left = new Map<string, { readonly mark: string; readonly ours: string }>();

  constructor(capacity: number = LIMITS.hostsDeny.value) {
    this.#capacity = capacity;
  }

  async open(targets: readonly HostsDenyTarget[]): Promise<void> {
    const before = this.#targets;
    this.#targets = new Map(targets.map((target) => [target.name, target]));
    this.#left.clear();
    this.#allow.clear();
    try {
      // Writes what it finds: that shows whether the file can be written.
      await this.#rewrite((entries) => entries);
    } catch (error) {
      this.#targets = before;
      throw error;
    }
    const paths = pathsOf(this.#targets);
    for (const path of pathsOf(before ?? new Map())) this.#gone.add(path);
    for (const path of paths) this.#gone.delete(path);
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const last = await lastChanges(changes, this.#opened(), now);
    // Else this write would make what others did to our lines look like ours.
    const fact = await this.missing();
    if (fact !== null) throw new StoplogError(`Cannot change bans: ${fact}`);
    const full = await this.#rewrite((entries) => {
      // A held ban keeps its place in a full file.
      const kept = new Map(entries);
      for (const [key, change] of last.changes) {
        const entry = this.#entryOf(change);
        if (entry === null) kept.delete(key);
        else kept.set(key, entry);
      }
      return kept;
    });
    return [...last.refusals, ...full];
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const last = await lastChanges(bans, this.#opened(), now);
    const desired = new Map<string, DenyEntry>();
    for (const [key, change] of last.changes) {
      const entry = this.#entryOf(change);
      if (entry !== null) desired.set(key, entry);
    }
    const full = await this.#rewrite(() => desired);
    for (const path of this.#gone) {
      await write(path, { others: readFile(path).others, entries: [] });
      this.#gone.delete(path);
    }
    return [...last.refusals, ...full];
  }

  async list(): Promise<readonly Enforced[]> {
    return [...pathsOf(this.#opened())].flatMap((path) =>
      readFile(path).entries.map(({ prefix, target, until }) => ({ prefix, target, until })),
    );
  }

  /** Reads a file only when it changed. What the operator did to the other lines is theirs. */
  async missing(): Promise<string | null> {
    for (const path of pathsOf(this.#opened())) {
      const left = this.#left.get(path);
      const mark = markOf(path);
      if (left === undefined || left.mark === mark) continue;
      if (oursIn(readFile(path)) !== left.ours) return `another program removed or changed bans in ${path}`;
      this.#left.set(path, { ...left, mark });
    }
    return null;
  }

  obstacles(): readonly string[] {
    return [...(this.#targets?.values() ?? [])].flatMap(({ path, services }) => {
      let allow = this.#allow.get(path);
      if (allow === undefined) this.#allow.set(path, (allow = new HostsAllow(path)));
      return allow.obstacles(services);
    });
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    if (flush && this.#targets !== null) await this.#rewrite(() => new Map());
    this.#targets = null;
  }

  #opened(): ReadonlyMap<string, HostsDenyTarget> {
    if (this.#targets === null) throw new StoplogError("Cannot change bans: hosts.deny is not open");
    return this.#targets;
  }

  #entryOf(change: Enforcement): DenyEntry | null {
    if (change.kind === "unban") return null;
    const { prefix, target, until } = change;
    const services = this.#targets?.get(target)?.services ?? "ALL";
    return {
      prefix,
      target,
      services,
      until: until === FOREVER ? FOREVER : Math.ceil(until / SECOND) * SECOND,
    };
  }

  /** Changes the bans of all files and writes the files. Returns bans for which a file has no room. */
  async #rewrite(
    change: (entries: ReadonlyMap<string, DenyEntry>) => ReadonlyMap<string, DenyEntry>,
  ): Promise<readonly Refusal[]> {
    const targets = this.#opened();
    const refusals: Refusal[] = [];
    for (const path of pathsOf(targets)) {
      const file = readFile(path);
      const before = new Map(file.entries.map((entry) => [changeKey(entry), entry]));
      const here = [...change(before).values()].flatMap((entry) => {
        const target = targets.get(entry.target);
        return target?.path === path ? { ...entry, services: target.services } : [];
      });
      const entries = here.slice(0, this.#capacity);
      for (const entry of here.slice(this.#capacity)) {
        refusals.push(
          refused(
            entry,
            `${path} holds ${this.#capacity} bans, which services read for each connection`,
            "full",
          ),
        );
      }
      await write(path, { others: file.others, entries });
      this.#left.set(path, { mark: markOf(path), ours: oursIn({ entries }) });
    }
    return refusals;
  }
}

function pathsOf(targets: ReadonlyMap<string, HostsDenyTarget>): ReadonlySet<string> {
  return new Set([...targets.values()].map(({ path }) => path));
}

/** Another one after every change of the file. */
function markOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? "" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

function oursIn({ entries }: Pick<ReturnType<typeof readDenyFile>, "entries">): string {
  return [...denyFileText({ others: [], entries })].join("");
}

function readFile(path: string): ReturnType<typeof readDenyFile> {
  try {
    return readDenyFile(readRegularFile(path, "latin1"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { others: [], entries: [] };
    throw cannot(`read ${path}`, error);
  }
}

/** Keeps permissions and owner; a new file gets 0644, because all services read it. */
async function write(path: string, file: Parameters<typeof denyFileText>[0]): Promise<void> {
  const before = statSync(path, { throwIfNoEntry: false });
  try {
    await replaceFile(path, denyFileText(file), {
      mode: (before?.mode ?? 0o644) & 0o777,
      encoding: "latin1",
      ...(before === undefined ? {} : { uid: before.uid, gid: before.gid }),
    });
  } catch (error) {
    throw cannot(`write ${path}`, error);
  }
}
