import type { Fail2banHost, JailFacts } from "./host.ts";
import type { Lists } from "./lists.ts";
import { type Plain, Tuple } from "./plain.ts";

/** Names and values in the order in which the client prints them. */
export function serverStatus(host: Pick<Fail2banHost, "jails">): readonly Plain[] {
  const names = host
    .jails()
    .map(({ name }) => name)
    .toSorted();
  return [row("Number of jail", names.length), row("Jail list", names.join(", "))];
}

/** With the flavor `short` without the banned addresses. */
export async function jailStatus(
  jail: JailFacts,
  host: Fail2banHost,
  lists: Lists,
  flavor: string,
): Promise<Plain> {
  const { files, journal } = jail;
  const from =
    journal.length > 0 && files.length === 0
      ? row("Journal matches", [matchesText(journal)])
      : row("File list", files);
  const addresses = flavor === "short" ? [] : [row("Banned IP list", await lists.banned(host, jail.name))];
  return [
    row("Filter", [
      row("Currently failed", jail.currentlyFailed),
      row("Total failed", jail.totalFailed),
      from,
    ]),
    row("Actions", [
      row("Currently banned", jail.currentlyBanned),
      row("Total banned", jail.totalBanned),
      ...addresses,
    ]),
  ];
}

function row(name: string, value: Plain): Tuple {
  return new Tuple([name, value]);
}

function matchesText(journal: JailFacts["journal"]): string {
  return journal.map((match) => match.join(" ")).join(" + ");
}
