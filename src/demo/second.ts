/** One second of the demo, as it is shown and as `--json` prints it. */
export interface Second {
  /** From 1 on, in each phase. */
  readonly second: number;
  /** Attempts that the attackers began. */
  readonly tried: number;
  /** Attempts that the service answered. */
  readonly through: number;
  /** Attempts that nobody answered. */
  readonly unanswered: number;
  /** Attempts that an error ended. */
  readonly failed: number;
  /** Attempts that were due and not made. */
  readonly missed: number;
  readonly users: number;
  /** Users who came in. */
  readonly served: number;
  /** Bans that stand at its end; null without Stoplog. */
  readonly bans: number | null;
  /** Of one core; null without Stoplog. */
  readonly daemonCpuPercent: number | null;
}

export interface Phase {
  readonly stoplog: boolean;
  readonly seconds: readonly Second[];
}
