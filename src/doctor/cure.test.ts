import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { quoted } from "./cure.ts";

it("quoted() makes one word of any path", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "/", " ", "'", '"', "$", "`", "\\", ";", "&", "*", "\n", "(", "~", "#", "é"),
  });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (words) => {
      const { stdout } = spawnSync("sh", ["-c", `printf '%s\\0' ${words.map(quoted).join(" ")}`], {
        encoding: "utf8",
      });
      expect(stdout.split("\0").slice(0, -1)).toEqual(words);
    }),
    { numRuns: 50 },
  );
});
