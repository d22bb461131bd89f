import { z } from "zod";
import { allLimits } from "../enforce/kinds.ts";
import type { Chapter, Part } from "./chapter.ts";
import { CHAPTERS, configSchema } from "./schema.ts";

// Pages that are generated from the schema and from the table of limits. Checked in, so that they can be read without a build.

/** Each page's path from the package's root, and its text. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/reference/configuration.md", configurationPage()],
    ["docs/reference/stoplog.schema.json", `${JSON.stringify(editorSchema(), null, 2)}\n`],
    ["docs/limits.md", limitsPage()],
  ]);
}

/** JSON Schema (draft 7, which editors know best) of a configuration as it is written. */
export function editorSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input", target: "draft-7", unrepresentable: "any" });
}

function configurationPage(): string {
  return page([
    "# The configuration",
    "<!-- Made by scripts/generate-reference.ts from src/config, src/source and src/enforce. -->",
    INTRODUCTION,
    "## At the top",
    keyTable(configSchema),
    ...CHAPTERS.flatMap(chapter),
  ]);
}

function chapter({ title, text, parts, end }: Chapter): string[] {
  return [`## ${title}`, text, ...parts.flatMap(part), ...(end === undefined ? [] : [end])];
}

function part({ title, text, schema }: Part): string[] {
  const words = text ?? description(schema);
  return [...(title === null ? [] : [`### ${title}`]), ...(words === "" ? [] : [words]), keyTable(schema)];
}

const INTRODUCTION = [
  "Stoplog reads `/etc/stoplog/stoplog.yaml`, or the file after `-c`. `stoplog check` reports every error with its line and column.",
  "[stoplog.yaml](../examples/stoplog.yaml) is an example. Editors with JSON Schema complete keys from",
  "[stoplog.schema.json](stoplog.schema.json).",
  "",
  "The file is YAML 1.2 (`yes` is a word, not true), at most 1 MiB. Unknown keys are errors. Durations are seconds, or sums such as `10m`,",
  "`1d12h` and `1w`. Names of sources, targets and jails consist of letters, digits, dots, `-` and `_`.",
].join("\n");

function limitsPage(): string {
  return page([
    "# Limits",
    "<!-- Made by scripts/generate-reference.ts from src/core/limits.ts and src/enforce. -->",
    [
      "Attackers choose the number of addresses, the length of lines and the rate at which both arrive. So every queue and table has a",
      "bound, a rule for when it is full, and a counter of how often that happened (`stoplog status --json`). Nothing is dropped silently.",
    ].join("\n"),
    table(
      ["What is bounded", "Bound", "When it is full", "Counter", "Setting"],
      Object.values(allLimits()).map(({ what, value, unit, full, counter, setting }) => [
        what,
        `${value.toLocaleString("en-US")} ${unit}`,
        full,
        code(counter),
        setting === null ? "–" : code(setting),
      ]),
    ),
  ]);
}

function keyTable(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(([key, value]) => {
    const { default: standard } = inputSchema(value);
    const examples = value.meta()?.["examples"];
    return [
      code(key),
      standard === undefined ? (value.safeParse(undefined).success ? "–" : "required") : code(flow(standard)),
      Array.isArray(examples) ? examples.map((example) => code(flow(example))).join(" or ") : "",
      description(value),
    ];
  });
  return table(["Key", "Default", "Example", "What it does"], rows);
}

function inputSchema(schema: z.ZodType): { readonly default?: unknown } {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

function description(schema: z.ZodType): string {
  return schema.meta()?.description ?? "";
}

/** A value as YAML on one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{ ${Object.entries(value)
      .map(([key, inner]) => `${key}: ${flow(inner)}`)
      .join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  return /^[A-Za-z/.+][\w/.+@:-]*$/.test(value) || /^\d+\/?[a-z]\w*$/.test(value)
    ? value
    : `'${value.replaceAll("'", "''")}'`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");
}

function page(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}
