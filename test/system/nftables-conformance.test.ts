import { describe } from "vitest";
import { NftProgramEnforcer } from "../../src/enforce/nft-program/enforcer.ts";
import { NftablesEnforcer } from "../../src/enforce/nftables/enforcer.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("in a network namespace of its own", fault), () => {
  enterNamespace("conformance");

  const kernel = { outlives: true, bounded: true, tolerance: 2000, rounds: 60 };

  enforcerConformance("nftables", {
    ...kernel,
    make: (size = 1000_000) => new NftablesEnforcer({ size }),
  });

  // The dialect for kernels before 6.12, without the owner flag of 6.9; it works on newer kernels too.
  enforcerConformance("nftables for older kernels", {
    ...kernel,
    make: (size = 1000_000) => new NftablesEnforcer({ size, dialect: "replace", owner: false }),
  });

  const noProgram = hasProgram("nft") ? null : "needs the nft program";
  describe.skipIf(noProgram !== null)(titled("where nft is", noProgram), () => {
    enforcerConformance("nft", {
      ...kernel,
      make: (size = 1000_000) => new NftProgramEnforcer({ size }),
      // nft prints whole seconds.
      tolerance: 10_000,
      rounds: 6,
    });
  });
});
