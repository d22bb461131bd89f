import type { Exception } from "./plain.ts";

/** A command that cannot be carried out, as the exception that fail2ban's client gets. */
export class CommandError extends Error {
  readonly exception: Exception;

  constructor(exception: Exception) {
    const [text] = exception.args;
    super(typeof text === "string" ? text : exception.type);
    this.exception = exception;
  }
}

/** The client says "Sorry but the jail 'x' does not exist". */
export function unknownJail(name: string): CommandError {
  return new CommandError({ type: "UnknownJailException", args: [name] });
}

/** The client says "Sorry but the command is invalid": a word is missing. */
export function missingWord(): CommandError {
  return new CommandError({ type: "IndexError", args: ["list index out of range"] });
}

export function wrongValue(sentence: string): CommandError {
  return new CommandError({ type: "ValueError", args: [sentence] });
}

/** The client prints the sentence. */
export function refused(sentence: string): CommandError {
  return new CommandError({ type: "Exception", args: [sentence] });
}

export function throwRefused(
  results: readonly { readonly outcome: string; readonly detail: string }[],
): void {
  const sentences = results.filter(({ outcome }) => outcome === "refused").map(({ detail }) => detail);
  if (sentences.length > 0) throw wrongValue(sentences.join("; "));
}
