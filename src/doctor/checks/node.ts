import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";

/** Versions before 20.19 do not run Stoplog at all. */
export const node: Check = {
  name: "node",
  title: "Node.js",
  reports: "Node.js is not a long-term release",
  look({ host }) {
    const { nodeVersion } = host.facts;
    const major = Number(nodeVersion.split(".")[0]);
    if (major % 2 === 0) return [fine(`Node.js ${nodeVersion} runs Stoplog`)];
    return [
      advice({
        what: `Node.js ${nodeVersion} is not a long-term release`,
        why: "It gets security fixes for half a year only",
        cure: ["# install an even-numbered version: 22, 24 or later"],
      }),
    ];
  },
};
