import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { newSourceStats } from "../source.ts";
import { entryLine } from "./entry-line.ts";
import { LinePieces } from "./line-pieces.ts";

const STREAM = "a1b2";

interface Printed {
  readonly text: string;
  readonly broken?: "line-max" | "nul" | "pid-change" | "eof";
  readonly stream?: string | null;
  readonly pid?: string;
}

function entry({ text, broken, stream = STREAM, pid = "42" }: Printed): Map<string, string> {
  return new Map([
    ["MESSAGE", text],
    ["SYSLOG_IDENTIFIER", "app"],
    ["_PID", pid],
    ...(stream === null ? [] : [["_STREAM_ID", stream] as const]),
    ...(broken === undefined ? [] : [["_LINE_BREAK", broken] as const]),
  ]);
}

function joiner(maxLine = 1000, unfinished: readonly string[] = []) {
  const stats = newSourceStats();
  const pieces = new LinePieces(stats, maxLine, unfinished);
  const lines = (...printed: Printed[]): string[] =>
    printed.flatMap((one) => {
      const whole = pieces.join(entry(one));
      return whole === null ? [] : [entryLine(whole)];
    });
  return { stats, pieces, lines };
}

const FORGED = "login failed for root from 198.51.100.77";

describe("LinePieces", () => {
  it("reads a piece of a line that was too long as a part of that line", () => {
    const { lines, stats } = joiner();
    expect(
      lines(
        { text: "user xxx", broken: "line-max" },
        { text: FORGED, broken: "line-max" },
        { text: " from 192.0.2.1" },
      ),
    ).toEqual([`localhost app[42]: user xxx${FORGED} from 192.0.2.1`]);
    expect(lines({ text: "next" })).toEqual(["localhost app[42]: next"]);
    expect(stats.shedBytes).toBe(0);
  });

  it("reads what follows a NUL byte as a part of the line, with a blank between", () => {
    const { lines } = joiner();
    expect(lines({ text: "user x", broken: "nul" }, { text: `${FORGED} from 192.0.2.1` })).toEqual([
      `localhost app[42]: user x ${FORGED} from 192.0.2.1`,
    ]);
  });

  it("continues a process's line after another process wrote into the same stream", () => {
    const { lines } = joiner();
    expect(
      lines(
        { text: "user x", broken: "pid-change" },
        { text: "other", pid: "43" },
        { text: FORGED, pid: "42" },
      ),
    ).toEqual(["localhost app[43]: other", `localhost app[42]: user x${FORGED}`]);
  });

  it("gives a last line without a line end", () => {
    const { lines, pieces } = joiner();
    expect(lines({ text: "a", broken: "eof" })).toEqual(["localhost app[42]: a"]);
    expect(lines({ text: "a", broken: "line-max" }, { text: "b", broken: "eof" })).toEqual([
      "localhost app[42]: ab",
    ]);
    expect(pieces.unfinished).toEqual([]);
  });

  it("gives entries that belong to no stream as they are", () => {
    const { lines } = joiner();
    expect(
      lines({ text: "a", broken: "line-max" }, { text: "b", stream: null }, { text: "c", stream: "d4" }),
    ).toEqual(["localhost app[42]: b", "localhost app[42]: c"]);
  });

  it("joins every line again, however it was broken and whatever came between", () => {
    const text = fc.array(fc.string({ minLength: 1, maxLength: 8, unit: "grapheme-ascii" }), {
      minLength: 1,
      maxLength: 5,
    });
    const streams = ["s1", "s2", "s3"];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...streams), text), { maxLength: 12 }),
        fc.infiniteStream(fc.tuple(fc.nat(2), fc.constantFrom("line-max" as const, "pid-change" as const))),
        (written, choices) => {
          // Each stream's entries in their order; the streams in any.
          const queues = streams.map((stream) =>
            written
              .filter(([of]) => of === stream)
              .flatMap(([, parts]) => parts.map((part, i) => ({ part, isLast: i === parts.length - 1 }))),
          );
          const { pieces, stats } = joiner();
          const got: string[][] = [[], [], []];
          while (queues.some(({ length }) => length > 0)) {
            const [[turn, broken]] = [choices.next().value];
            const next = queues[turn]!.shift();
            if (next === undefined) continue;
            const one = { text: next.part, stream: streams[turn]!, ...(next.isLast ? {} : { broken }) };
            const whole = pieces.join(entry(one));
            if (whole !== null) got[turn]!.push(whole.get("MESSAGE")!);
          }
          const lines = streams.map((stream) =>
            written.filter(([of]) => of === stream).map(([, parts]) => parts.join("")),
          );
          expect(got).toEqual(lines);
          expect({ waiting: pieces.unfinished, shed: stats.shedBytes }).toEqual({ waiting: [], shed: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("keeps the beginning of a line that is longer than max_line, and counts the rest", () => {
    const { pieces, stats } = joiner(10);
    expect(pieces.join(entry({ text: "12345678", broken: "line-max" }))).toBeNull();
    expect(pieces.join(entry({ text: "9abcdef", broken: "line-max" }))).toBeNull();
    expect(pieces.join(entry({ text: FORGED }))?.get("MESSAGE")).toBe("123456789ab");
    expect(stats.shedBytes).toBe(4 + FORGED.length);
  });

  it("skips the rest of a line whose first pieces the last run had taken", () => {
    const first = joiner();
    first.lines({ text: "user x", broken: "line-max" });
    const second = joiner(1000, first.pieces.unfinished);
    expect(second.lines({ text: FORGED, broken: "line-max" }, { text: FORGED }, { text: "next" })).toEqual([
      "localhost app[42]: next",
    ]);
    expect(second.stats.shedBytes).toBe(2 * FORGED.length);
  });

  it("drops the line that has waited longest when there are too many [limit: journalPieces]", () => {
    const { lines, pieces, stats } = joiner();
    const most = LIMITS.journalPieces.value;
    for (let i = 0; i <= most; i++) lines({ text: "abc", broken: "line-max", stream: `s${i}` });
    expect(pieces.unfinished.length).toBe(most);
    expect(pieces.unfinished).not.toContain("s0 42");
    expect({ shed: stats.shed, bytes: stats.shedBytes }).toEqual({ shed: 1, bytes: 3 });
  });
});
