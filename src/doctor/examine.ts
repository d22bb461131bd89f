import type { Check } from "./check.ts";
import { CHECKS } from "./checks.ts";
import type { Finding } from "./finding.ts";
import type { Situation } from "./situation.ts";

/** A finding, with the check that made it. */
export interface Found extends Finding {
  readonly check: string;
}

export interface Examination {
  /** Trouble first, then advice, then what is fine; within each, in the order of the checks. */
  readonly findings: readonly Found[];
  /** What was checked for this configuration, in words. */
  readonly looked: readonly string[];
}

/** Runs all checks. They change nothing. */
export function examine(situation: Situation, checks: readonly Check[] = CHECKS): Examination {
  const made = checks.map((check) => ({ check, findings: check.look(situation) }));
  const findings = made.flatMap(({ check, findings: all }) =>
    all.map((finding) => ({ check: check.name, ...finding })),
  );
  return {
    findings: SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
    looked: made.filter(({ findings: all }) => all.length > 0).map(({ check }) => check.title),
  };
}

const SEVERITIES = ["trouble", "advice", "fine"] as const;
