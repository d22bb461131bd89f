import type { BanAnswer } from "../api/wire.ts";
import type { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { parsePrefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { Standing } from "../enforce/reconcile.ts";

/** The answer to bans by hand with what came of each at its enforcers. Call it when they have read the book. */
export function withStandings(
  { results }: BanAnswer,
  { book, standing }: { readonly book: Book; readonly standing: (ban: Ban) => Standing },
  now: Instant,
): BanAnswer {
  return { results: results.map((result) => withStanding(result)) };

  function withStanding(result: Result): Result {
    const prefix = result.outcome === "refused" ? null : parsePrefix(result.address);
    if (prefix === null) return result;
    const standings = book
      .of(prefix)
      .filter(({ until }) => until > now)
      .map(standing);
    const bad = standings.find(({ trouble }) => trouble !== null) ?? standings[0];
    if (bad === undefined) return result;
    const { enforced, trouble } = bad;
    const detail = trouble === null ? result.detail : `${result.detail}, but ${isNot(bad)}: ${trouble}`;
    return { ...result, detail, enforced, trouble };
  }
}

type Result = BanAnswer["results"][number];

function isNot({ enforced }: Standing): string {
  return enforced === null ? "it is perhaps not enforced" : "it is not enforced";
}
