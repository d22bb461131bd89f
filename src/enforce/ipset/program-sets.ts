import { setImmediate as nextTurn } from "node:timers/promises";
import { isV4 } from "../../core/address.ts";
import type { Family } from "../../core/family.ts";
import { cannot } from "../../core/errors.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../../core/prefix.ts";
import { execute } from "../execute.ts";
import type { FoundSet, NewSet, SetChange, SetElement, SetFailure, Sets } from "./sets.ts";

/** Sets by the program ipset, where koffi is missing. */
export class ProgramSets implements Sets {
  async find(name: string): Promise<FoundSet | null> {
    const { status, stdout, stderr } = await execute("ipset", ["list", "-t", name], "");
    if (status === 0) return readHeader(stdout);
    if (/does not exist/.test(stderr)) return null;
    throw cannot(`look at the set ${name}`, factIn(stderr));
  }

  async findAll(names: readonly string[]): Promise<ReadonlyMap<string, FoundSet>> {
    const text = await run("list the sets", ["list", "-t"]);
    const all = text.split(/\n(?=Name: )/).map(readHeader);
    return new Map(all.flatMap((set) => (names.includes(set.name) ? [[set.name, set] as const] : [])));
  }

  async create(set: NewSet): Promise<void> {
    const shape =
      set.type === "list:set"
        ? []
        : `family ${set.family === "v4" ? "inet" : "inet6"} hashsize ${set.buckets} maxelem ${set.capacity} timeout 0`.split(
            " ",
          );
    await run(`create the set ${set.name}`, ["create", set.name, set.type, ...shape]);
  }

  async join(list: string, member: string): Promise<void> {
    await run(`add ${member} to the set ${list}`, ["add", list, member, "-exist"]);
  }

  /** The program stops at the first line that is refused; the next run gets the lines after it. */
  async change(changes: readonly SetChange[]): Promise<readonly SetFailure[]> {
    const failures: SetFailure[] = [];
    const full = new Map<string, { readonly fact: string; readonly there: ReadonlySet<string> }>();
    let from = 0;
    while (from < changes.length) {
      const part = changes.slice(from, from + IN_A_RUN);
      const places = part.flatMap((change, i) => {
        const found = full.get(change.set);
        if (found === undefined || change.kind === "delete" || found.there.has(formatPrefix(change.prefix)))
          return [i];
        failures.push({ place: from + i, reason: "full", fact: found.fact });
        return [];
      });
      const text = places.map((i) => lineOf(part[i] as SetChange)).join("");
      const { status, stderr } = await execute("ipset", ["restore"], text);
      const line = status === 0 ? null : Number(/in line (\d+):/.exec(stderr)?.[1] ?? 0);
      const bad = line === null ? undefined : places[line - 1];
      if (line === null) {
        from += part.length;
        continue;
      }
      if (bad === undefined) throw cannot("run ipset restore", factIn(stderr));
      // The lines after it are tried again, and reported then.
      while (failures.length > 0 && (failures.at(-1)?.place ?? 0) > from + bad) failures.pop();
      const failure = { place: from + bad, ...reasonOf(stderr) };
      failures.push(failure);
      const { set } = part[bad] as SetChange;
      if (failure.reason === "full") {
        const there = new Set((await this.list(set)).map(({ prefix }) => formatPrefix(prefix)));
        full.set(set, { fact: failure.fact, there });
      }
      from += bad + 1;
      await nextTurn();
    }
    return failures;
  }

  async has(name: string, prefix: Prefix): Promise<boolean> {
    return (await execute("ipset", ["test", name, elementText(prefix)], "")).status === 0;
  }

  async list(name: string): Promise<readonly SetElement[]> {
    const text = await run(`list the set ${name}`, ["save", name]);
    return text.split("\n").flatMap((line) => {
      const [, element = "", seconds = "0"] = /^add \S+ (\S+)(?:.* timeout (\d+))?/.exec(line) ?? [];
      const prefix = parsePrefix(element);
      return prefix === null ? [] : { prefix, seconds: Number(seconds) };
    });
  }

  async swap(one: string, other: string): Promise<void> {
    await run(`swap the sets ${one} and ${other}`, ["swap", one, other]);
  }

  async destroy(name: string): Promise<boolean> {
    const { status, stderr } = await execute("ipset", ["destroy", name], "");
    if (status === 0 || /does not exist/.test(stderr)) return true;
    if (/in use/.test(stderr)) return false;
    throw cannot(`remove the set ${name}`, factIn(stderr));
  }

  async flush(name: string): Promise<void> {
    await run(`flush the set ${name}`, ["flush", name]);
  }

  close(): void {}
}

/** Lines in one run of the program: it needs about 100 ms for them. */
const IN_A_RUN = 5000;

async function run(what: string, args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await execute("ipset", args, "");
  if (status !== 0) throw cannot(what, factIn(stderr));
  return stdout;
}

function lineOf({ set, kind, prefix, seconds }: SetChange): string {
  const element = elementText(prefix);
  if (kind === "delete") return `del ${set} ${element} -exist\n`;
  return `add ${set} ${element}${seconds === null ? "" : ` timeout ${seconds}`}${kind === "add" ? " -exist" : ""}\n`;
}

/** With its length: the program could take an IPv6 address without one for a name. */
function elementText({ address, length }: Prefix): string {
  return formatPrefix({ address, length }) + (length === (isV4(address) ? 32 : 128) ? `/${length}` : "");
}

function readHeader(text: string): FoundSet {
  const word = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const family = word(/^Header:.* family (\S+)/m);
  return {
    name: word(/^Name: (.+)$/m) ?? "",
    type: word(/^Type: (.+)$/m) ?? "",
    family: family === undefined ? null : (FAMILIES[family] ?? null),
    timeouts: /^Header:.* timeout \d/m.test(text),
    capacity: Number(word(/^Header:.* maxelem (\d+)/m) ?? 0),
    elements: Number(word(/^Number of entries: (\d+)/m) ?? 0),
  };
}

const FAMILIES: Readonly<Record<string, Family>> = { inet: "v4", inet6: "v6" };

function reasonOf(stderr: string): Pick<SetFailure, "reason" | "fact"> {
  const fact = factIn(stderr);
  if (/is full/.test(fact)) return { reason: "full", fact: "the set is full" };
  if (/already (added|in set)|already in/.test(fact)) return { reason: "exists", fact };
  return { reason: /does not exist/.test(fact) ? "gone" : "other", fact };
}

/** The FACT of `ipset v7.17: Error in line 3: FACT`. */
function factIn(stderr: string): string {
  const line = stderr.split("\n").find((text) => text.trim() !== "") ?? "it failed without a message";
  return line
    .replace(/^ipset v[^:]*: /, "")
    .replace(/^Error in line \d+: /, "")
    .trim()
    .slice(0, 300);
}
