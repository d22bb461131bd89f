import { createHash, timingSafeEqual } from "node:crypto";

/** A token, kept as its SHA-256. */
export interface Token {
  readonly name: string;
  readonly sha256: Buffer;
  /** The origin of its orders. */
  readonly origin: string;
  /** Whether it may send orders. */
  readonly orders: boolean;
  /** Whether it may read bans, status and metrics. */
  readonly reads: boolean;
}

/** The token in an Authorization header (RFC 6750), or null. Takes the same time for each token. */
export function tokenIn(header: string | undefined, tokens: readonly Token[]): Token | null {
  const [, shown = ""] = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header ?? "") ?? [];
  const hash = createHash("sha256").update(shown).digest();
  let found: Token | null = null;
  for (const token of tokens) if (timingSafeEqual(token.sha256, hash)) found = token;
  return shown === "" ? null : found;
}
