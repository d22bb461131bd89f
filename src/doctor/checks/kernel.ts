import { kindOf } from "../../enforce/kinds.ts";
import type { Check } from "../check.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import { type Situation, usedTargets } from "../situation.ts";

/** Features that this kernel lacks. Distributions backport features: reported only where a target needs one. */
export const kernel: Check = {
  name: "kernel",
  title: "the kernel",
  reports: "a target needs a newer kernel; the running kernel's modules are missing after an upgrade",
  look(situation) {
    const release = situation.host.read("/proc/sys/kernel/osrelease")?.trim() ?? "";
    const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
    if (major === undefined || minor === undefined) return [];
    const version = [Number(major), Number(minor)] as const;
    const found = [...tooOld(situation, release, version), ...withoutModules(situation, release)];
    return found.length > 0 ? found : [fine(`Linux ${release} has all needed features`)];
  },
};

function tooOld({ config }: Situation, release: string, [major, minor]: Version): Finding[] {
  return usedTargets(config)
    .flatMap((target) => {
      const { linux } = kindOf(target).needs(target);
      return linux === undefined ? [] : [{ target, ...linux }];
    })
    .filter(
      ({ since: [wantedMajor, wantedMinor] }) =>
        major < wantedMajor || (major === wantedMajor && minor < wantedMinor),
    )
    .slice(0, 1)
    .map(({ target, since, what }) =>
      trouble({
        what: `Linux ${release} cannot ${what} as target ${target.name} does: that needs Linux ${since.join(".")}`,
        why: "The target cannot be set up",
        cure: [`# in the configuration: ${target.name}: { verdict: drop }, or a newer kernel`],
      }),
    );
}

type Version = readonly [major: number, minor: number];

/** After an upgrade without a reboot, the running kernel's modules are often deleted. */
function withoutModules({ host, config, inContainer }: Situation, release: string): Finding[] {
  const loaded = (host.read("/proc/modules") ?? "").split("\n").map((line) => line.split(" ")[0] ?? "");
  const isModular = loaded.some((name) => name !== "");
  if (inContainer || !isModular) return [];
  const folders = ["/lib/modules", "/usr/lib/modules"].map((folder) => `${folder}/${release}`);
  if (folders.some((folder) => host.stat(folder) !== null)) return [];
  const needs = usedTargets(config).map((target) => ({
    target,
    module: kindOf(target).needs(target).module,
  }));
  const missing = needs.find(({ module }) => module !== undefined && !loaded.includes(module));
  if (missing === undefined) return [];
  return [
    trouble({
      what: `The modules of the running kernel are missing: ${folders[0]} does not exist`,
      why: `${missing.module} is not loaded and cannot be, so target ${missing.target.name} bans nothing`,
      cure: ["# a newer kernel is installed; boot it:", "reboot"],
    }),
  ];
}
