import { parseAddress } from "./address.ts";

export interface HostHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/**
 * Why a request must not be answered, as a phrase; null when it may be. A web page can make its visitor's browser send requests to addresses that
 * only the visitor reaches: by a name of its own that resolves to such an address (DNS rebinding), or across origins. The browser
 * gives the page's name away in `Host` and `Origin`. A page never has an address, `localhost` or a name that `isOwn` for its own.
 */
export function foreignHost({ host, origin }: HostHeaders, isOwn: (name: string) => boolean): string | null {
  // Without Host it is HTTP/1.0, which no browser speaks.
  if (host !== undefined && !isLocal(nameIn(host), isOwn))
    return `${nameIn(host)} is not a name of this server`;
  if (origin === undefined) return null;
  const [, place = ""] = /^https?:\/\/([^/]+)$/i.exec(origin) ?? [];
  if (place !== "" && (place.toLowerCase() === host?.toLowerCase() || isOwn(nameIn(place)))) return null;
  return `it comes from a web page of ${place === "" ? "an unknown origin" : nameIn(place)}`;
}

/** Lower case, without the port; of a hostile header only the beginning, and nothing that does not belong in a name. */
function nameIn(place: string): string {
  const name = place.startsWith("[") ? place.slice(1).split("]")[0] : place.replace(/:\d*$/, "");
  return (name ?? "")
    .toLowerCase()
    .replaceAll(/[^\w.:%-]/g, "?")
    .slice(0, LONGEST);
}

const LONGEST = 100;

function isLocal(name: string, isOwn: (name: string) => boolean): boolean {
  return name === "localhost" || name.endsWith(".localhost") || parseAddress(name) !== null || isOwn(name);
}
