import { z } from "zod";
import { allLimits } from "../enforce/kinds.ts";
import { SERVICE_PORTS } from "../schema/service-ports.ts";
import { apiSchema, tokenSchema } from "./api-schema.ts";
import { originSchema } from "./origin-schema.ts";
import { filterSchema, incrementSchema, jailSchema, packetsSchema, stepSchema } from "./jail-schema.ts";
import { listSchema } from "./list-schema.ts";
import { notifySchemas } from "./notify-schema.ts";
import { curveSchema } from "./curve-schema.ts";
import { onlySchema, publishSchema } from "./publish-schema.ts";
import { configSchema, limitsSchema, logSchema } from "./schema.ts";
import { sourceSchemas } from "./source-schema.ts";
import { targetSchemas } from "./target-schema.ts";

// Pages that are made from the schema and from the table of limits. Checked in, so that they can be read without building.

/** Each page's path from the package's root, and its text. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/reference/configuration.md", configurationPage()],
    ["docs/reference/stoplog.schema.json", `${JSON.stringify(editorSchema(), null, 2)}\n`],
    ["docs/limits.md", limitsPage()],
  ]);
}

/** JSON Schema (draft 7, which editors know best) of what a user may write. */
export function editorSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input", target: "draft-7", unrepresentable: "any" });
}

function configurationPage(): string {
  const sources = Object.entries(sourceSchemas).flatMap(([type, schema]) => [
    `### type: ${type}`,
    description(schema),
    keyTable(schema),
  ]);
  const targets = Object.entries(targetSchemas).flatMap(([enforcer, schema]) => [
    `### enforcer: ${enforcer}`,
    description(schema),
    keyTable(schema),
  ]);
  return page([
    "# The configuration",
    "<!-- Made by scripts/generate-reference.ts from src/config/schema.ts. -->",
    INTRODUCTION,
    "## At the top",
    keyTable(configSchema),
    "## Sources",
    "Where lines and packets come from. Each has a name of your own and a `type`.",
    ...sources,
    "## Targets",
    TARGETS,
    ...targets,
    `Ports may be called ${Object.keys(SERVICE_PORTS).toSorted().map(code).join(", ")}.`,
    "## Jails",
    `${description(jailSchema)} The same keys under \`defaults\` hold for all jails that do not say otherwise.`,
    keyTable(jailSchema),
    "### Packets",
    `${description(packetsSchema)} The keys of \`packets\`.`,
    keyTable(packetsSchema),
    "### Steps",
    `${description(stepSchema)} A list of these stands under \`steps\`.`,
    keyTable(stepSchema),
    "### Growing bans",
    `${description(incrementSchema)} The keys of \`increment\`; \`true\` takes their defaults.`,
    keyTable(incrementSchema),
    "## Lists",
    `${description(listSchema)} Each has a name of your own, and one of \`file\`, \`directory\` and \`url\`.`,
    keyTable(listSchema),
    "## Filters",
    `${description(filterSchema)} The keys of a filter's file, and of one written in place. Patterns are regular expressions with fail2ban's tags; one pattern, a list of them, or a block with one on each line.`,
    keyTable(filterSchema),
    "## Origins",
    `${description(originSchema)} Named by a source with \`orders: true\` or a token of the API; whoever is not written has the defaults.`,
    keyTable(originSchema),
    "## Publish",
    description(publishSchema),
    keyTable(publishSchema),
    "### Only",
    `${description(onlySchema)} The keys of \`only\`.`,
    keyTable(onlySchema),
    "### Curve",
    `${description(curveSchema)} The keys of \`curve\`, for sources and publishers.`,
    keyTable(curveSchema),
    "## API",
    description(apiSchema),
    keyTable(apiSchema),
    "### Tokens",
    description(tokenSchema),
    keyTable(tokenSchema),
    "## Notifications",
    "Who is told of bans, each under `notify` with a name of your own and a `type`. See [the guide](../guide/notify.md).",
    ...Object.entries(notifySchemas).flatMap(([type, schema]) => [
      `### type: ${type}`,
      description(schema),
      keyTable(schema),
    ]),
    "## Limits",
    `${description(limitsSchema)} All bounds stand in [limits.md](../limits.md).`,
    keyTable(limitsSchema),
    "## Log",
    description(logSchema),
    keyTable(logSchema),
  ]);
}

const TARGETS = [
  "Where and how bans are enforced, each with a name of your own and an `enforcer`. `default` is there without being written: nftables, drop,",
  "all traffic. A list of such maps in a target's place enforces its bans in all these ways at once.",
].join("\n");

const INTRODUCTION = [
  "Stoplog reads `/etc/stoplog/stoplog.yaml`, or the file after `-c`. `stoplog check` says whether it is good, and names the line and",
  "column of whatever is not. An example stands in [stoplog.yaml](../examples/stoplog.yaml); editors that know JSON Schema complete keys",
  "with [stoplog.schema.json](stoplog.schema.json).",
  "",
  "The file is YAML 1.2 (`yes` is a word, not true), at most 1 MiB. Unknown keys are refused. Durations are seconds, or sums such as `10m`,",
  "`1d12h` and `1w`. Names of sources, targets and jails hold letters, digits, dots, `-` and `_`.",
].join("\n");

function limitsPage(): string {
  return page([
    "# Limits",
    "<!-- Made by scripts/generate-reference.ts from src/core/limits.ts and src/enforce. -->",
    [
      "Attackers choose how many addresses there are, how long lines get and how fast they come. So every queue and table has a bound, a rule",
      "for when it is full, and a counter that tells how often that happened (`stoplog status --json`). Nothing is dropped silently.",
    ].join("\n"),
    table(
      ["What is bounded", "Bound", "What happens then", "Counter", "Setting"],
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
      standard === undefined
        ? value.safeParse(undefined).success
          ? "–"
          : "must be given"
        : code(flow(standard)),
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
