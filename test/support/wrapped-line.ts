/** The line with colours around its words, as programs write them that believe to write to a terminal. */
export function coloured(line: string): string {
  return line.replace(/(\w)(\w+)/g, "$1\u001b[1;33m$2\u001b[0m");
}

/** The line (one character per byte) as Docker's json-file driver writes it. */
export function inDocker(line: string): string {
  return `{"log":${JSON.stringify(`${line}\n`)},"stream":"stderr","time":"2026-11-20T14:44:48.1Z"}`;
}
