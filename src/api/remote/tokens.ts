import { createHash, timingSafeEqual } from "node:crypto";

/** Who may come in by a token: kept as the SHA-256 of what he must show. */
export interface Token {
  readonly name: string;
  readonly sha256: Buffer;
  /** In whose name his orders come. */
  readonly origin: string;
  /** Whether he may read bans and the status. */
  readonly reads: boolean;
}

/** The token that an Authorization header shows (RFC 6750), or null. Takes as long whichever it is. */
export function tokenIn(header: string | undefined, tokens: readonly Token[]): Token | null {
  const [, shown = ""] = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header ?? "") ?? [];
  const hash = createHash("sha256").update(shown).digest();
  let found: Token | null = null;
  for (const token of tokens) if (timingSafeEqual(token.sha256, hash)) found = token;
  return shown === "" ? null : found;
}
