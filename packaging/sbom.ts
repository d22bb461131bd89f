import { packageName, type Recipe } from "./recipe.ts";

/** Another program in a package. */
export interface Part {
  /** Its name at npm. */
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
}

/** What a package contains besides Stoplog, as CycloneDX 1.6 (cyclonedx.org), the same bytes each time. */
export function billOfMaterials(recipe: Recipe, parts: readonly Part[]): string {
  const own = component({ name: packageName(recipe), version: recipe.version, license: "Apache-2.0" });
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(recipe.epoch * 1000).toISOString(),
      component: { ...own, type: "application" },
    },
    components: parts.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(component),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function component({ name, version, license }: Part) {
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  // One licence is an id of SPDX, several are an expression.
  const licenses = /[ ()]/.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
  return { type: "library", "bom-ref": purl, name, version, purl, licenses };
}
