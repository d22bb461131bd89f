/**
 * Syslog's wrapper for a line that was logged several times: `sshd[1]: message repeated 5 times: [ Failed password … ]`.
 * It counts only where the program's message begins, behind the first `: ` of the line. Further right an attacker may have written it.
 */
export interface Repeated {
  /** The line without the wrapper. */
  readonly text: string;
  /** 1 to MAX_REPEATED. */
  readonly count: number;
}

/** Bounds what one line can count. */
export const MAX_REPEATED = 1000;

/** Every wrapped line contains it. */
export const REPEATED_LITERAL = ": message repeated ";

/** Null for a line without the wrapper. A cut line lacks the wrapper's end. */
export function unwrapRepeated(line: string, isCut = false): Repeated | null {
  const at = line.indexOf(": ");
  if (at < 0 || !line.startsWith(REPEATED_LITERAL, at)) return null;
  const wrapper = (isCut ? CUT_WRAPPER : WRAPPER).exec(line.slice(at + REPEATED_LITERAL.length));
  if (wrapper === null) return null;
  const count = Math.min(Math.max(Number(wrapper[1]), 1), MAX_REPEATED);
  return { text: line.slice(0, at + 2) + (wrapper[2] ?? ""), count };
}

const WRAPPER = /^(\d{1,9}) times: \[ ?([^\n]*?) ?\]$/;
const CUT_WRAPPER = /^(\d{1,9}) times: \[ ?([^\n]*)$/;
