import { parseAddress } from "../../core/address.ts";
import type { Login } from "./utmp.ts";

/** The remote log-in in a file of /run/systemd/sessions, which logind writes; null for a local or closing one, or one from a host name. */
export function loginInSession(text: string): Login | null {
  const fields = new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
  if (fields.get("REMOTE") !== "1" || fields.get("STATE") === "closing") return null;
  const found = parseAddress((fields.get("REMOTE_HOST") ?? "").replace(/%.*/, ""));
  const pid = Number(fields.get("LEADER"));
  return found === null || !Number.isInteger(pid) || pid <= 0 ? null : { address: found, pid };
}
