import type { Column, Outcome } from "./outcome.ts";
import { median } from "./statistics.ts";

/** Medians with the smallest and largest value, and their multiples of the first contestant's. */
export function renderTable(columns: readonly Column[], outcomes: readonly Outcome[]): string {
  const base = outcomes.find((outcome) => outcome.kind === "measured");
  const compared = columns.filter((column) => column.compared);
  const heads = compared.map(({ label }) => `${label} ×`);
  const rows = outcomes.map((outcome) => {
    if (outcome.kind === "missing") return [outcome.who, `missing: ${outcome.why}`];
    const cells = columns.map((column) => cell(valuesOf(outcome, column.key), column.digits));
    return [
      outcome.who,
      ...cells,
      ...compared.map(({ key }) => ratio(valuesOf(outcome, key), valuesOf(base, key))),
    ];
  });
  const notes = outcomes.flatMap((outcome) =>
    outcome.kind === "measured" && outcome.note !== undefined ? [`  ${outcome.who}: ${outcome.note}`] : [],
  );
  return [...layOut([["", ...columns.map((column) => column.label), ...heads], ...rows]), ...notes].join(
    "\n",
  );
}

function valuesOf(outcome: Outcome | undefined, key: string): number[] {
  if (outcome?.kind !== "measured") return [];
  return outcome.runs.flatMap((run) => run[key] ?? []);
}

function ratio(own: readonly number[], base: readonly number[]): string {
  if (own.length === 0 || base.length === 0 || median(base) === 0) return "–";
  const times = median(own) / median(base);
  return times >= 10 ? Math.round(times).toLocaleString("en-US") : times.toPrecision(2);
}

function cell(values: readonly number[], digits: number): string {
  if (values.length === 0) return "–";
  const show = (value: number): string =>
    value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.length === 1 ? show(low) : `${show(median(values))} (${show(low)}–${show(high)})`;
}

/** Pads each cell to its column; the last cell of a short row (a missing rival) is not padded. */
function layOut(rows: readonly (readonly string[])[]): string[] {
  const full = rows[0]!.length;
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.filter((row) => row.length === full || i === 0).map((row) => row[i]!.length)),
  );
  return rows.map((row) =>
    `  ${row.map((text, i) => (i === 0 || row.length < full ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join("  ")}`.trimEnd(),
  );
}
