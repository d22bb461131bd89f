import packageJson from "../../package.json" with { type: "json" };

export const version: string = packageJson.version;

/** Set by the build: a hash of the sources. */
declare const STOPLOG_BUILD: string | undefined;

/** Distinguishes programs of one version; null for a program that was not built, as in tests. */
export const programBuild: string | null = typeof STOPLOG_BUILD === "undefined" ? null : STOPLOG_BUILD;
