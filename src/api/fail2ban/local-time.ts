import { FOREVER, type Instant } from "../../core/time.ts";

/** `2026-11-20 14:44:48`, by the machine's zone; a permanent ban ends at fail2ban's last second. */
export function localTime(at: Instant): string {
  if (at === FOREVER) return "9999-12-31 23:59:59";
  const time = new Date(at);
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
