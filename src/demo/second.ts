/** One second of the demo, as `--json` prints it. */
export interface Second {
  /** From 1, in each phase. */
  readonly second: number;
  /** Attempts that the attackers began. */
  readonly tried: number;
  /** Attempts that the service answered. */
  readonly through: number;
  /** Attempts without an answer. */
  readonly unanswered: number;
  /** Attempts that an error ended. */
  readonly failed: number;
  /** Attempts that were due but not made. */
  readonly missed: number;
  readonly users: number;
  /** Users that logged in. */
  readonly served: number;
  /** Active bans at its end; null without Stoplog. */
  readonly bans: number | null;
  /** Of one core; null without Stoplog. */
  readonly daemonCpuPercent: number | null;
}

export interface Phase {
  readonly stoplog: boolean;
  readonly seconds: readonly Second[];
}
