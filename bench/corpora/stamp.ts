/** One second as the services write it. Made once a second, since lines are many. All in UTC, as all programs of the bench run. */
export interface Stamp {
  /** 'Nov 20 14:44:48' */
  readonly syslog: string;
  /** '20/Nov/2026:14:44:48 +0000' */
  readonly clf: string;
  /** '20-Nov-2026 14:44:48' */
  readonly named: string;
  /** Seconds since the epoch. */
  readonly second: number;
}

export function stampOf(second: number): Stamp {
  const date = new Date(second * 1000);
  const month = MONTHS[date.getUTCMonth()]!;
  const day = date.getUTCDate();
  const two = String(day).padStart(2, "0");
  const year = date.getUTCFullYear();
  const time = date.toISOString().slice(11, 19);
  return {
    syslog: `${month} ${String(day).padStart(2, " ")} ${time}`,
    clf: `${two}/${month}/${year}:${time} +0000`,
    named: `${two}-${month}-${year} ${time}`,
    second,
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
