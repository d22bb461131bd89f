/**
 * Syslog's wrapper for lines that came several times: `sshd[1]: message repeated 5 times: [ Failed password … ]`.
 * It counts only where the program's message begins, behind the first `: ` of the line: further on it is text that
 * anybody may have written.
 */
export interface Repeated {
  /** The line with the wrapper taken out. */
  readonly text: string;
  /** How often, 1 to 1000: a bound, so that one line never weighs more than a thousand. */
  readonly count: number;
}

export const MAX_REPEATED = 1000;

/** What every wrapped line holds, whatever the program: lines without it need not be looked at. */
export const REPEATED_LITERAL = ": message repeated ";

/** Null for a line that is not wrapped. */
export function unwrapRepeated(line: string): Repeated | null {
  const at = line.indexOf(": ");
  if (at < 0 || !line.startsWith(REPEATED_LITERAL, at)) return null;
  const wrapper = WRAPPER.exec(line.slice(at + REPEATED_LITERAL.length));
  if (wrapper === null) return null;
  const count = Math.min(Math.max(Number(wrapper[1]), 1), MAX_REPEATED);
  return { text: line.slice(0, at + 2) + (wrapper[2] ?? ""), count };
}

const WRAPPER = /^(\d{1,9}) times: \[ ?([^\n]*?) ?\]$/;
