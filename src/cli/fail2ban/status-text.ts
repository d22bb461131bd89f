import { printed } from "./python-text.ts";

/** The tree of `status`, `status JAIL` and `status --all`. */
export function statusText(command: readonly string[], value: unknown): string {
  const [, jail] = command;
  const rows = rowsOf(value);
  if (jail === undefined) return ["Status", ...leaves(rows, "", true)].join("\n");
  if (jail !== "--all") return [`Status for the jail: ${jail}`, ...jailLines(rows, "")].join("\n");
  const jails = Object.entries((Array.isArray(value) ? value.at(-1) : null) ?? {});
  return [
    "Status",
    ...leaves(rows.slice(0, -1), "", jails.length === 0),
    ...jails.flatMap(([name, tree], i) => {
      const isLast = i === jails.length - 1;
      return [
        `${isLast ? "`-" : "|-"} Status for the jail: ${name}`,
        ...jailLines(rowsOf(tree), isLast ? "   " : "|  "),
      ];
    }),
  ].join("\n");
}

type Row = readonly [name: unknown, value: unknown];

function jailLines(rows: readonly Row[], before: string): readonly string[] {
  return rows.flatMap(([name, value], i) => {
    const isLast = i === rows.length - 1;
    return [
      `${before}${isLast ? "`-" : "|-"} ${printed(name)}`,
      ...leaves(rowsOf(value), `${before}${isLast ? "   " : "|  "}`, true),
    ];
  });
}

/** `isEnd`: nothing follows the last of them. */
function leaves(rows: readonly Row[], before: string, isEnd: boolean): readonly string[] {
  return rows.map(([name, value], i) => {
    const text = Array.isArray(value) ? value.map(printed).join(" ") : printed(value);
    return `${before}${isEnd && i === rows.length - 1 ? "`-" : "|-"} ${printed(name)}:\t${text}`;
  });
}

function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? (value as readonly Row[]) : [];
}
