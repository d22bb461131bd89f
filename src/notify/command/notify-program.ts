import { runProgram } from "../../core/run-program.ts";
import type { CommonOptions } from "../options.ts";
import { type Deliver, later } from "../outcome.ts";
import { jsonDocument } from "../template/json.ts";
import type { CommandOptions } from "./kind.ts";

/** Runs the operator's program for each message; it reads the JSON document from its standard input. */
export function notifyProgram(options: CommonOptions & CommandOptions): Deliver {
  return async (message, signal) => {
    const document = `${JSON.stringify(jsonDocument(message))}\n`;
    const { timeout } = options;
    const { fact } = await runProgram(options.command, { input: document, timeout, signal });
    return fact === null ? { kind: "sent" } : later(fact);
  };
}
