import { createHmac } from "node:crypto";
import { type Instant, SECOND } from "../../core/time.ts";

/**
 * `t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.BODY`. The signed time lets receivers refuse replayed messages.
 */
export function signature(body: string, secret: string, now: Instant): string {
  const seconds = Math.floor(now / SECOND);
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`;
}

export const SIGNATURE_HEADER = "x-stoplog-signature";
