import type { Check } from "../check.ts";
import { type Finding, fine, trouble } from "../finding.ts";
import { type Situation, usedTargets } from "../situation.ts";

/** What this kernel cannot do. Distributions carry changes back: said only where a target needs it. */
export const kernel: Check = {
  name: "kernel",
  looksAt: "the kernel",
  find(situation) {
    const release = situation.host.read("/proc/sys/kernel/osrelease")?.trim() ?? "";
    const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
    if (major === undefined || minor === undefined) return [];
    const number = Number(major) + Number(minor) / 1000;
    const found = [...tooOld(situation, release, number), ...withoutModules(situation, release)];
    return found.length > 0 ? found : [fine(`Linux ${release} has what is needed`)];
  },
};

/** Since 5.9 a packet can be rejected in prerouting, where our rules stand (nft_reject.c, nf_tables' validation of hooks). */
function tooOld({ config }: Situation, release: string, number: number): Finding[] {
  const target = usedTargets(config).find(
    (spec) => (spec.enforcer === "nftables" || spec.enforcer === "nft") && spec.verdict.kind === "reject",
  );
  if (target === undefined || number >= 5.009) return [];
  return [
    trouble({
      what: `Linux ${release} cannot reject packets where target ${target.name} does: that came with 5.9`,
      why: "The target cannot be set up",
      cure: [`# in the configuration: ${target.name}: { verdict: drop }, or a newer kernel`],
    }),
  ];
}

/** After an upgrade without a restart the running kernel's modules are often gone from the disk. */
function withoutModules({ host, config, inContainer }: Situation, release: string): Finding[] {
  const loaded = (host.read("/proc/modules") ?? "").split("\n").map((line) => line.split(" ")[0] ?? "");
  const isModular = loaded.some((name) => name !== "");
  const target = usedTargets(config).find(({ enforcer }) => enforcer === "nftables" || enforcer === "nft");
  if (inContainer || !isModular || target === undefined || loaded.includes("nf_tables")) return [];
  const folders = ["/lib/modules", "/usr/lib/modules"].map((folder) => `${folder}/${release}`);
  if (folders.some((folder) => host.stat(folder) !== null)) return [];
  return [
    trouble({
      what: `The modules of the running kernel are gone: there is no ${folders[0]}`,
      why: `nf_tables is not loaded and cannot be, so target ${target.name} bans nobody`,
      cure: [
        "# the kernel was replaced by a newer one, which runs after a restart of the machine:",
        "reboot",
      ],
    }),
  ];
}
