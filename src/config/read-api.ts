import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { factOf } from "../core/errors.ts";
import { apiSchema, tokenSchema } from "./api-schema.ts";
import type { ApiConfig, TokenConfig } from "./config.ts";
import { entryOf, readNames, readObject, requireKeys, type Where } from "./read-object.ts";
import { NAME } from "./values.ts";
import { shorten, type Tree } from "./yaml-tree.ts";

/** Null when the section is not there, or something without which it is nothing is wrong, which was reported then. */
export function readApi(tree: Tree | null, where: Where): ApiConfig | null {
  if (tree === null) return null;
  const inside = { ...where, what: "the api", prefix: "", at: tree.at };
  const { report } = where;
  const before = report.count;
  requireKeys(apiSchema, tree, inside);
  const { listen = [], cert, key } = readObject(apiSchema, tree, { ...inside, elsewhere: ["tokens"] });
  const at = entryOf(tree, "listen")?.value.at ?? tree.at;
  const places = listen.flatMap((text) => {
    const place = placeOf(text);
    if (typeof place !== "string") return place;
    report.error(inside.what, `listen: ${place}`, at);
    return [];
  });
  if ((cert === undefined) !== (key === undefined))
    report.error(inside.what, "cert and key go together", tree.at);
  const open = places.find(({ host }) => !isLoopback(host));
  if (open !== undefined && cert === undefined)
    report.error(
      inside.what,
      `listen: ${open.host} can be reached from elsewhere; it needs cert and key`,
      at,
    );
  const tokens = readTokens(entryOf(tree, "tokens")?.value ?? null, where);
  if (report.count > before) return null;
  return { listen: places, tls: cert === undefined || key === undefined ? null : { cert, key }, tokens };
}

function readTokens(tree: Tree | null, where: Where): readonly TokenConfig[] {
  return [...readNames(tree, "token", NAME, where)].flatMap(([name, { keyAt, value }]) => {
    const inside = { what: `token ${shorten(name)}`, report: where.report, at: keyAt };
    const { secret_file, sha256, origin, read = false } = readObject(tokenSchema, value, inside);
    if ((secret_file === undefined) === (sha256 === undefined)) {
      where.report.error(inside.what, "it needs secret_file or sha256, and one of them only", keyAt);
      return [];
    }
    const hash = sha256 ?? hashOf(secret_file ?? "", inside);
    return hash === null ? [] : { name, sha256: hash.toLowerCase(), origin: origin ?? name, reads: read };
  });
}

/** The secret itself goes no further than this. */
function hashOf(file: string, where: Where): string | null {
  try {
    const secret = readFileSync(file, "utf8").split("\n")[0]?.trim() ?? "";
    // Loaded when a secret is there: the start waits for whoever reads the configuration.
    const { createHash } = process.getBuiltinModule("node:crypto");
    if (secret.length >= SHORTEST_SECRET) return createHash("sha256").update(secret).digest("hex");
    where.report.error(
      where.what,
      `the secret in ${file} must have ${SHORTEST_SECRET} characters or more`,
      where.at,
    );
  } catch (error) {
    where.report.error(where.what, `secret_file: ${factOf(error)}`, where.at);
  }
  return null;
}

const SHORTEST_SECRET = 16;

function placeOf(text: string): { readonly host: string; readonly port: number } | string {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = Number(digits);
  const isHost = host === "localhost" || isIP(host) === (bracketed === undefined ? 4 : 6);
  if (!isHost) return `${shorten(text)} is no address and port such as 127.0.0.1:8443 or [::1]:8443`;
  return port > 65_535 ? `${digits} is no port` : { host, port };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
