import { referencePages } from "../../src/config/reference.ts";
import { entry, head, inline, paragraph, section, subsection, verbatim } from "./roff.ts";

const SOURCE = "docs/reference/configuration.md";

/** stoplog.yaml.5, from the text of the reference's page. */
export function configurationPage(): readonly [name: string, text: string] {
  const markdown = referencePages().get(SOURCE);
  if (markdown === undefined) throw new Error(`Cannot make stoplog.yaml.5: ${SOURCE} is not generated`);
  const body = blocks(markdown).map(rendered);
  const text = [
    head("stoplog.yaml", 5, "configuration of Stoplog"),
    section("Description"),
    ...body,
    section("Files"),
    FILES,
    section("See also"),
    SEE,
  ];
  return ["stoplog.yaml.5", `${text.filter((block) => block !== "").join("\n")}\n`];
}

const FILES = [
  entry("/etc/stoplog/stoplog.yaml", "The configuration. \\fBstoplog check\\fR validates it."),
  entry("/usr/share/doc/stoplog*/examples/stoplog.yaml", "The example."),
  entry("/usr/share/doc/stoplog*/reference/stoplog.schema.json", "The JSON Schema."),
].join("\n");
const SEE = "\\fBstoplog\\fR(1), \\fBstoplog\\-check\\fR(1)";

/** Blocks of Markdown: separated by empty lines, except within code. */
function blocks(markdown: string): readonly string[] {
  const parts = markdown.split(/(^```[\s\S]*?^```$)/m);
  return parts
    .flatMap((part) => (part.startsWith("```") ? [part] : part.split(/\n{2,}/)))
    .map((block) => block.trim());
}

function rendered(block: string): string {
  if (block === "" || block.startsWith("<!--") || block.startsWith("# ")) return "";
  if (block.startsWith("## ")) return section(block.slice(3));
  if (/^#{3,} /.test(block)) return subsection(block.replace(/^#+ /, ""));
  if (block.startsWith("```")) return verbatim(block.split("\n").slice(1, -1));
  const lines = block.split("\n");
  if (block.startsWith("|")) return table(lines.map(cells));
  if (block.startsWith("- ")) return lines.join("\n").split(/^- /m).slice(1).map(point).join("\n");
  return paragraph(inline(lines.join(" ")));
}

function point(text: string): string {
  return `.IP \\(bu 2\n${inline(text.replaceAll(/\s+/g, " ").trim())}`;
}

function cells(line: string): readonly string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** A row becomes an entry: its first cell, the last one, and those between with their heads. */
function table([heads = [], , ...rows]: readonly (readonly string[])[]): string {
  return rows
    .map((row) => {
      const between = row.slice(1, -1).flatMap((cell, index) => {
        const label = heads[index + 1] ?? "";
        return cell === "" || cell === "–" ? [] : [`.br\n${label}: ${inline(cell)}`];
      });
      return entry((row[0] ?? "").replaceAll("`", ""), [inline(row.at(-1) ?? ""), ...between].join("\n"));
    })
    .join("\n");
}
