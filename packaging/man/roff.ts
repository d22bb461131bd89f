// The few requests of man(7) that our pages need.

/** A page's first line and its NAME; `date` is omitted so that the page depends on its text only. */
export function head(name: string, section: number, summary: string): string {
  return [
    `.TH ${name.toUpperCase()} ${section} "" Stoplog "Stoplog"`,
    ".SH NAME",
    `${escaped(name)} \\- ${escaped(summary)}`,
  ].join("\n");
}

export function section(title: string): string {
  return `.SH ${title.toUpperCase()}`;
}

export function subsection(title: string): string {
  return `.SS ${escaped(title)}`;
}

/** A term in bold with its explanation. */
export function entry(term: string, text: string): string {
  return `.TP\n\\fB${escaped(term)}\\fR\n${text}`;
}

export function paragraph(text: string): string {
  return `.PP\n${text}`;
}

/** Text as it is, line by line. */
export function verbatim(lines: readonly string[]): string {
  return [".PP", ".nf", ".RS 4", ...lines.map(escaped), ".RE", ".fi"].join("\n");
}

/** Text of Markdown within a line: code becomes bold, a link its text. */
export function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => {
      if (part.length > 1 && part.startsWith("`")) return `\\fB${escaped(part.slice(1, -1))}\\fR`;
      return escaped(part.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/\*\*([^*]+)\*\*/g, "$1"));
    })
    .join("")
    .replace(/^(?=[.'])/, "\\&");
}

/** Backslashes and hyphens are characters; a dot or quote at the start of a line is not a request. */
export function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^(?=[.'])/gm, "\\&");
}
