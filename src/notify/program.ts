import { runProgram } from "../core/run-program.ts";
import type { CommonOptions, ProgramOptions } from "./options.ts";
import { type Deliver, later } from "./outcome.ts";
import { jsonDocument } from "./template/json.ts";

/** Runs a program of the user's for each message, which reads our JSON document from its standard input. */
export function program(options: CommonOptions & ProgramOptions): Deliver {
  return async (message, signal) => {
    const document = `${JSON.stringify(jsonDocument(message))}\n`;
    const { timeout } = options;
    const { fact } = await runProgram(options.command, { input: document, timeout, signal });
    return fact === null ? { kind: "sent" } : later(fact);
  };
}
