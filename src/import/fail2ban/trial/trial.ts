import { counted } from "../../../core/wording.ts";
import { decodeLine, excerpt } from "../../../core/printable.ts";
import { explainLine } from "../../../match/explain.ts";
import type { CompiledFilter } from "../../../match/filter/filter.ts";
import type { ScanContext } from "../../../match/scan.ts";
import { type Counted, hostName, type Original } from "./original.ts";

/** What fail2ban's filter and Stoplog's find in the same lines. */
export interface Trial {
  readonly lines: number;
  /** Lines that fail2ban counts. */
  readonly theirs: number;
  readonly ours: number;
  readonly onlyTheirs: Lines;
  readonly onlyOurs: Lines;
  /** Both count them, for another address. */
  readonly otherHost: Lines;
  /** Both count them; Stoplog reads no time in them, where fail2ban does. */
  readonly untimed: Lines;
}

interface Lines {
  count: number;
  /** The first. */
  example: string;
}

/** Runs both filters on the lines. */
export function tryBoth(
  original: Original,
  filter: CompiledFilter,
  lines: readonly string[],
  context: ScanContext,
): Trial {
  const none = (): Lines => ({ count: 0, example: "" });
  const found = { onlyTheirs: none(), onlyOurs: none(), otherHost: none(), untimed: none() };
  let [theirs, ours] = [0, 0];
  for (const line of lines) {
    const their = original.count(line, context);
    const our = countedBy(filter, line, context);
    if (their !== null) theirs++;
    if (our !== null) ours++;
    const kind = differenceOf(their, our);
    if (kind !== null) note(found[kind], line);
  }
  return { lines: lines.length, theirs, ours, ...found };
}

function countedBy(filter: CompiledFilter, line: string, context: ScanContext): Counted | null {
  const explanation = explainLine(filter, line, context);
  if (explanation.kind !== "failure") return null;
  return { host: hostName(explanation.match), isTimed: explanation.match.at !== null };
}

function differenceOf(
  theirs: Counted | null,
  ours: Counted | null,
): keyof Omit<Trial, "lines" | "theirs" | "ours"> | null {
  if (theirs === null) return ours === null ? null : "onlyOurs";
  if (ours === null) return "onlyTheirs";
  if (theirs.host !== ours.host) return "otherHost";
  return theirs.isTimed && !ours.isTimed ? "untimed" : null;
}

function note(into: Lines, line: string): void {
  if (into.count++ === 0) into.example = line;
}

/** Both counts, and what is not the same, with a line of each kind. */
export function trialFact(trial: Trial, untried: number): string {
  const { lines, theirs, ours } = trial;
  const parts = [
    `in ${counted(lines, "line")}, fail2ban's filter matches ${theirs} and Stoplog's ${ours}`,
    ...KINDS.flatMap(([kind, words]) =>
      trial[kind].count === 0
        ? []
        : [`${trial[kind].count} ${words}: ${excerpt(decodeLine(trial[kind].example), LONGEST)}`],
    ),
    ...(untried === 0 ? [] : [`${counted(untried, "pattern")} of fail2ban's could not be tried`]),
  ];
  return parts.join("; ");
}

const KINDS = [
  ["onlyTheirs", "only fail2ban's, such as"],
  ["onlyOurs", "only Stoplog's, such as"],
  ["otherHost", "with another address, such as"],
  ["untimed", "without a time that Stoplog reads, such as"],
] as const;

/** Characters of an example. */
const LONGEST = 160;
