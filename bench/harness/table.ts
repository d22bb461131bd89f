import type { Column, Outcome } from "./outcome.ts";
import { median } from "./statistics.ts";

/** Medians with the smallest and largest value, and how many times the first contestant's figure each one is. */
export function renderTable(columns: readonly Column[], outcomes: readonly Outcome[]): string {
  const first = columns[0]!;
  const base = outcomes.find((outcome) => outcome.kind === "measured");
  const baseValue = base === undefined ? null : middle(valuesOf(base, first.key));
  const head = ["", ...columns.map((column) => column.label), `× ${base?.who ?? ""}`];
  const rows = outcomes.map((outcome) => {
    if (outcome.kind === "missing") return [outcome.who, `missing: ${outcome.why}`];
    const cells = columns.map((column) => cell(valuesOf(outcome, column.key), column.digits));
    const own = middle(valuesOf(outcome, first.key));
    const ratio = own === null || baseValue === null || baseValue === 0 ? "–" : (own / baseValue).toPrecision(3);
    return [outcome.who, ...cells, ratio];
  });
  const notes = outcomes.flatMap((outcome) =>
    outcome.kind === "measured" && outcome.note !== undefined ? [`  ${outcome.who}: ${outcome.note}`] : [],
  );
  return [...layOut([head, ...rows]), ...notes].join("\n");
}

function valuesOf(outcome: Outcome, key: string): number[] {
  if (outcome.kind === "missing") return [];
  return outcome.runs.flatMap((run) => run[key] ?? []);
}

function middle(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values);
}

function cell(values: readonly number[], digits: number): string {
  if (values.length === 0) return "–";
  const show = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.length === 1 ? show(low) : `${show(median(values))} (${show(low)}–${show(high)})`;
}

/** Pads each cell to its column; a row that ends early (a missing rival) may be as long as it likes. */
function layOut(rows: readonly (readonly string[])[]): string[] {
  const full = rows[0]!.length;
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.filter((row) => row.length === full || i === 0).map((row) => row[i]!.length)),
  );
  return rows.map((row) =>
    `  ${row.map((text, i) => (i === 0 || row.length < full ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join("  ")}`.trimEnd(),
  );
}
