import { parseArgs } from "node:util";

/** What a program of this repository was called with. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** Null when it was not given. */
  number(name: string): number | null;
  text(name: string): string | null;
  flag(name: string): boolean;
}

/**
 * Reads the arguments of this process. Prints `usage` for --help and ends; ends with status 2 and a sentence, 'Cannot soak: --minutes must be a
 * number, not "x"', when they are wrong.
 */
export function readArguments(
  verb: string,
  usage: string,
  options: Readonly<Record<string, "number" | "text" | "flag">>,
): Arguments {
  const typed = Object.entries(options).map(
    ([name, kind]) => [name, { type: kind === "flag" ? ("boolean" as const) : ("string" as const) }] as const,
  );
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: { ...Object.fromEntries(typed), help: { type: "boolean" } },
    });
    const values: Readonly<Record<string, unknown>> = parsed.values;
    if (values["help"] === true) {
      process.stdout.write(`${usage}\n`);
      process.exit(0);
    }
    const text = (name: string): string | null => {
      const value = values[name];
      return typeof value === "string" ? value : null;
    };
    for (const [name, kind] of Object.entries(options)) {
      const value = text(name);
      if (kind === "number" && value !== null && !(Number(value) > 0 || value === "0"))
        throw new Error(`--${name} must be a number, not ${JSON.stringify(value)}`);
    }
    const number = (name: string): number | null => {
      const value = text(name);
      return value === null ? null : Number(value);
    };
    return { positionals: parsed.positionals, text, number, flag: (name) => values[name] === true };
  } catch (error) {
    process.stderr.write(`Cannot ${verb}: ${error instanceof Error ? error.message : String(error)}\n`);
    return process.exit(2);
  }
}
