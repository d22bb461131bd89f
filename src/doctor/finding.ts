/**
 * What a check has to say. `trouble` hinders Stoplog under this configuration, `advice` makes it or its neighbourhood worse than it
 * could be, `fine` says what was looked at and how it stands.
 */
export interface Finding {
  readonly severity: Severity;
  /** What is, as one sentence. */
  readonly what: string;
  /** Why it matters, as one sentence; null for what is fine. */
  readonly why: string | null;
  /** Lines for a root shell that cure it. What only a person can do stands as a comment among them, so all can be pasted. */
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
