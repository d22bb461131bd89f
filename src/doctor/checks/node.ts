import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";

/** Older ones than 20.19 do not even get here. */
export const node: Check = {
  name: "node",
  looksAt: "Node.js",
  find({ host }) {
    const { nodeVersion } = host.facts;
    const major = Number(nodeVersion.split(".")[0]);
    if (major % 2 === 0) return [fine(`Node.js ${nodeVersion} runs Stoplog`)];
    return [
      advice({
        what: `Node.js ${nodeVersion} is of a line that was kept for half a year only`,
        why: "It gets no corrections any more, also not of its security",
        cure: ["# install a version with an even number: 22, 24 or later"],
      }),
    ];
  },
};
