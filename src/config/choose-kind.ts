import { didYouMean } from "../schema/missing.ts";
import type { Section } from "../schema/section.ts";
import { shown } from "../schema/values.ts";
import { plainOf } from "../schema/yaml-tree.ts";

/** The kind that a section names by a key such as `type`; null for a missing or unknown name, which is reported. */
export function chooseKind<Kind extends { readonly name: string }>(
  section: Section,
  key: string,
  kinds: readonly Kind[],
): Kind | null {
  const names = kinds.map(({ name }) => name);
  const entry = section.entry(key);
  if (entry === null) {
    section.refuse(`${key} is missing: one of ${names.join(", ")}`);
    return null;
  }
  const written = plainOf(entry.value);
  const chosen = kinds.find(({ name }) => name === written);
  if (chosen !== undefined) return chosen;
  const hint = typeof written === "string" ? didYouMean(written, names) : "";
  section.refuseValue(`${key} must be one of ${names.join(", ")}, not ${shown(written)}${hint}`, key);
  return null;
}
