import type { TargetSpec } from "../../enforce/enforcer.ts";
import { kindOf } from "../../enforce/kinds.ts";
import { kindOf as kindOfSource } from "../../source/kinds.ts";
import type { Check } from "../check.ts";
import { quoted } from "../cure.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import { type Situation, usedSources, usedTargets } from "../situation.ts";

/** Programs, and the library koffi, that sources and targets of this configuration need. */
export const programs: Check = {
  name: "programs",
  title: "programs and libraries",
  reports: "koffi cannot be loaded; a program that a target or source needs is not installed",
  look(situation) {
    if (situation.config === null) return [];
    const found = [...native(situation), ...absent(situation)];
    return found.length > 0 ? found : [fine("All needed programs and libraries are installed")];
  },
};

/** koffi opens the kernel's sockets; only nftables has a substitute. */
function native(situation: Situation): Finding[] {
  const { nativeFault: fault, packageRoot } = situation.host.facts;
  if (fault === null) return [];
  const cure = [`cd ${quoted(packageRoot)} && npm install --omit=dev koffi`];
  const users = usedSources(situation)
    .filter((source) => kindOfSource(source).needs(source).native === "always")
    .map(({ name }) => `source ${name}`);
  const targets = usedTargets(situation.config).map((target) => ({
    ...target,
    native: kindOf(target).needs(target).native,
  }));
  const lost = targets.filter(
    ({ native: need }) =>
      need === "always" || (need !== undefined && situation.host.program(need.instead) === null),
  );
  users.push(...new Set(lost.map(({ name }) => `target ${name}`)));
  users.push(...(situation.config?.lists ?? []).map(({ name }) => `list ${name}`));
  if (users.length > 0) return [trouble({ what: fault, why: `Without it ${list(users)} cannot work`, cure })];
  const slower = targets.flatMap(({ native: need }) =>
    need === undefined || need === "always" ? [] : [need.instead],
  )[0];
  if (slower === undefined) return [];
  return [
    advice({
      what: fault,
      why: `Bans go through the ${slower} program, which takes a thousand times as long for a ban`,
      cure,
    }),
  ];
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

interface Need {
  readonly who: string;
  readonly program: string;
  /** The Debian package; null for a program of the operator's. */
  readonly from: string | null;
}

function absent(situation: Situation): Finding[] {
  const needs = [...sourceNeeds(situation), ...usedTargets(situation.config).flatMap(targetNeeds)];
  const missing = needs.filter(({ program }) => situation.host.program(program) === null);
  return missing
    .filter(({ program }, i) => missing.findIndex((other) => other.program === program) === i)
    .map(({ who, program, from }) =>
      trouble({
        what: `${program} is not installed`,
        why: `${who.charAt(0).toUpperCase()}${who.slice(1)} cannot work without it`,
        cure: [
          from === null
            ? `# install ${program}, or name another in the configuration`
            : `apt-get install ${from}`,
        ],
      }),
    );
}

function sourceNeeds(situation: Situation): Need[] {
  return usedSources(situation).flatMap((source) =>
    (kindOfSource(source).needs(source).programs ?? []).map(({ program, package: from }) => ({
      who: `source ${source.name}`,
      program,
      from,
    })),
  );
}

function targetNeeds(target: TargetSpec): Need[] {
  const { programs: needed = [] } = kindOf(target).needs(target);
  return needed.map(({ program, package: from }) => ({ who: `target ${target.name}`, program, from }));
}
