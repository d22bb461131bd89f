import { CHECKS } from "./checks.ts";

/** docs/reference/doctor-checks.md, generated from the checks. */
export function checksPage(): string {
  return [
    "# The checks of `stoplog doctor`",
    "",
    "<!-- Made by scripts/generate-reference.ts from src/doctor/checks. -->",
    "",
    "`check` is the key of the same name in `stoplog doctor --json`. [The guide](../guide/doctor.md) explains the report.",
    "",
    "| Check | What it checks | When it reports trouble or advice |",
    "| --- | --- | --- |",
    ...CHECKS.map(({ name, title, reports }) => `| \`${name}\` | ${title} | ${reports} |`),
    "",
  ].join("\n");
}
