/**
 * The result of a check. `trouble` hinders Stoplog under this configuration, `advice` improves Stoplog or the machine, `fine` says that
 * something is as it should be.
 */
export interface Finding {
  readonly severity: Severity;
  /** The state, as one sentence. */
  readonly what: string;
  /** Why it matters, as one sentence; null for what is fine. */
  readonly why: string | null;
  /** Lines for a root shell. What only a person can do is a comment, so that all lines can be pasted. */
  readonly cure: readonly string[];
}

export type Severity = "trouble" | "advice" | "fine";

type Ailment = Omit<Finding, "severity">;

export function trouble(ailment: Ailment): Finding {
  return { severity: "trouble", ...ailment };
}

export function advice(ailment: Ailment): Finding {
  return { severity: "advice", ...ailment };
}

export function fine(what: string): Finding {
  return { severity: "fine", what, why: null, cure: [] };
}
