import type { Check } from "./check.ts";
import { CHECKS } from "./checks.ts";
import type { Finding } from "./finding.ts";
import type { Situation } from "./situation.ts";

/** A finding, with the check that made it. */
export interface Found extends Finding {
  readonly check: string;
}

export interface Examination {
  /** Troubles first, then advice, then what is fine; the checks' order among each. */
  readonly findings: readonly Found[];
  /** What was looked at in this configuration, in words. */
  readonly looked: readonly string[];
}

/** Makes all checks. Nothing is changed by them. */
export function examine(situation: Situation, checks: readonly Check[] = CHECKS): Examination {
  const made = checks.map((check) => ({ check, findings: check.find(situation) }));
  const findings = made.flatMap(({ check, findings: all }) =>
    all.map((finding) => ({ check: check.name, ...finding })),
  );
  return {
    findings: SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
    looked: made.filter(({ findings: all }) => all.length > 0).map(({ check }) => check.looksAt),
  };
}

const SEVERITIES = ["trouble", "advice", "fine"] as const;
