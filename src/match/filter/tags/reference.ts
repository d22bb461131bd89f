import { TAGS } from "./table.ts";

/** docs/reference/filter-tags.md. */
export function tagReference(): string {
  const [text, groups] = (["text", "group"] as const).map((kind) =>
    TAGS.filter((tag) => tag.kind === kind).map(({ name, doc, example, inFail2ban }) =>
      row([
        kind === "text" ? `\`<${name}>\`` : `\`<${name}>…</${name}>\``,
        doc,
        code(example.pattern),
        inFail2ban ? "yes" : "no",
      ]),
    ),
  );
  return `${[
    "# Tags of filters",
    "<!-- Made by scripts/generate-reference.ts from src/match/filter/tags/table.ts. -->",
    "A tag in a pattern stands for a regular expression. Names are fail2ban's where fail2ban has the tag. Write `\\<` where a pattern needs `<` before a name as text.",
    "## Tags that stand alone",
    [...HEADING, ...(text ?? [])].join("\n"),
    "A pattern of `failregex` or `goodregex` must say where the client is: by one of `<HOST>`, `<ADDR>`, `<IP4>`, `<IP6>`, `<DNS>`, `<SUBNET>` and `<F-ID>`, or by a group with the name `host`, `ip`, `ip4`, `ip6`, `addr` or `dns`, as in `(?P<host>…)`.",
    "## Tags around a part of the pattern",
    "They are named groups; each also has a short form, `<F-NAME/>`, which matches one word. Any other name works the same way: `<F-COUNTRY>[A-Z]+</F-COUNTRY>` captures `country`.",
    [...HEADING, ...(groups ?? [])].join("\n"),
    "## Tags of your own",
    "`define` in a filter's file gives names to parts that several patterns share. They may use other tags.",
    "```yaml\ndefine:\n  who: 'user <F-USER>\\S+</F-USER> from <HOST>'\nfailregex:\n  - '^<DATE> door: no key for <who>$'\n  - '^<DATE> door: wrong key from <who>$'\n```",
  ].join("\n\n")}\n`;
}

const HEADING = ["| tag | matches | for example | in fail2ban |", "| --- | --- | --- | --- |"];

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function code(text: string): string {
  return text
    .split("\n")
    .map((pattern) => `\`${pattern}\``)
    .join(" with ");
}
