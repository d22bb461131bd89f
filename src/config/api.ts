import { readFileSync } from "node:fs";
import { z } from "zod";
import { factOf } from "../core/errors.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";
import { isLoopback, type ListenAddress, listenAddress } from "./listen-address.ts";

// The section `api`: the API over TCP.

export interface ApiConfig {
  readonly listen: readonly ListenAddress[];
  /** Paths of PEM files; null for plain HTTP on loopback. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly tokens: readonly TokenConfig[];
  /** Names in URLs of this API besides those in its certificate; lower case. */
  readonly hosts: readonly string[];
}

export interface TokenConfig {
  readonly name: string;
  /** Of the token, in hexadecimal. */
  readonly sha256: string;
  /** The file with the token; null when the configuration has the hash. */
  readonly secretFile: string | null;
  readonly origin: string;
  /** Whether it may send orders, within the rules of its origin. */
  readonly orders: boolean;
  readonly reads: boolean;
}

const tokenSchema = z
  .strictObject({
    secret_file: v
      .path()
      .optional()
      .meta({
        description: "A file with the token on its first line. This or `sha256`.",
        examples: ["/etc/stoplog/scorer.token"],
      }),
    sha256: v
      .matching("64 hexadecimal digits", /^[0-9a-f]{64}$/i)
      .optional()
      .meta({
        description: "The SHA-256 of the token, so that the configuration holds no secret.",
        examples: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
      }),
    origin: v
      .name("the name of an origin")
      .optional()
      .meta({
        description:
          "The origin of its orders, whose permissions, rate and widest network apply (see Origins). Without it, the token's own name; a token with `read: true` then has no orders, unless that name is in `origins`.",
        examples: ["scorer"],
      }),
    read: v
      .flag()
      .default(false)
      .meta({ description: "`true`: it may read bans, their changes and the status." }),
  })
  .meta({ description: "A client of the API." });

const apiSchema = z
  .strictObject({
    listen: v
      .oneOrMore(v.text("HOST:PORT"), "HOST:PORT or a list of them")
      .optional()
      .meta({
        description:
          "Addresses to listen on; IPv6 in brackets. Other addresses than loopback need TLS. Required with `tokens`.",
        examples: ["127.0.0.1:8443", ["0.0.0.0:8443", "[::]:8443"]],
      }),
    cert: v
      .path()
      .optional()
      .meta({ description: "The certificate with its chain (PEM).", examples: ["/etc/stoplog/api.crt"] }),
    key: v
      .path()
      .optional()
      .meta({ description: "The private key (PEM).", examples: ["/etc/stoplog/api.key"] }),
    hosts: v
      .anyNumber(
        v.matching("the name of a host", /^[\w-]+(\.[\w-]+)*$/),
        "the name of a host or a list of them",
      )
      .prefault([])
      .meta({
        description:
          "Further names in URLs of this API. It answers requests to an address, `localhost`, the machine's name, and the names in its certificate; a web page with another name cannot use a browser to reach it.",
        examples: ["stoplog.example"],
      }),
    tokens: z
      .record(z.string(), tokenSchema, {
        error: (issue) => `must be a map of names, not ${v.shown(issue.input)}`,
      })
      .optional()
      .meta({
        description: "The clients, by name. Required with `listen`.",
        examples: [{ scorer: { secret_file: "/etc/stoplog/scorer.token" } }],
      }),
    fail2ban_socket: v
      .path()
      .optional()
      .meta({
        description:
          "A socket that speaks fail2ban's protocol, for `fail2ban-client`, exporters and panels. Only its owner and root can connect.",
        examples: ["/run/fail2ban/fail2ban.sock"],
      }),
  })
  .meta({
    description:
      "The API over TCP, for orders and readers from elsewhere, and fail2ban's socket. Without this section, only the control socket serves the API.",
  });

export const apiKey = apiSchema.optional().meta({
  description: "The API over TCP.",
  examples: [{ listen: "127.0.0.1:8443", tokens: { scorer: { secret_file: "/etc/stoplog/scorer.token" } } }],
});

export const apiChapter: Chapter = {
  title: "API",
  text: "The API over TCP, for orders and readers from elsewhere, and fail2ban's socket. Without this section, only the control socket serves the API.",
  parts: [
    { title: null, text: "", schema: apiSchema },
    { title: "Tokens", text: "The keys of each client in `tokens`.", schema: tokenSchema },
  ],
};

/** What the section says: the API over TCP, null for none or one with errors, which are reported, and the path of fail2ban's socket. */
export interface ApiReading {
  readonly api: ApiConfig | null;
  readonly fail2banSocket: string | null;
}

export function readApi(top: Section): ApiReading {
  if (!top.has("api")) return { api: null, fail2banSocket: null };
  const { report } = top;
  const before = report.count;
  const section = top.apart("api", "the api");
  const { listen = [], cert, key, hosts, fail2ban_socket: socket } = section.filled(apiSchema, ["tokens"]);
  const isSocketOnly = section.has("fail2ban_socket") && !section.has("listen") && !section.has("tokens");
  const needed = section.tree?.kind === "map" && !isSocketOnly ? ["listen", "tokens"] : [];
  for (const key of needed) if (!section.has(key)) section.refuse(`${key} is missing`);
  const places = listen.flatMap((text) => {
    const place = listenAddress(text);
    if (typeof place !== "string") return place;
    section.refuseValue(`listen: ${place}`, "listen");
    return [];
  });
  if ((cert === undefined) !== (key === undefined)) section.refuse("cert and key need each other");
  const open = places.find(({ host }) => !isLoopback(host));
  if (open !== undefined && cert === undefined)
    section.refuseValue(
      `listen: ${open.host} can be reached from elsewhere; it needs cert and key`,
      "listen",
    );
  const origins = top.entry("origins")?.value;
  const isOrigin = (name: string): boolean => origins?.kind === "map" && origins.entries.has(name);
  const tokens = [
    ...section.named("tokens", "token", (name, part) => readToken(name, part, isOrigin)).values(),
  ].filter((token) => token !== null);
  if (isSocketOnly) section.refuseKeys(["cert", "key", "hosts"], "needs listen");
  if (report.count > before) return { api: null, fail2banSocket: null };
  const api = {
    listen: places,
    tls: cert === undefined || key === undefined ? null : { cert, key },
    tokens,
    hosts: hosts.map((host) => host.toLowerCase()),
  };
  return { api: isSocketOnly ? null : api, fail2banSocket: socket ?? null };
}

/** A token has the rights that are written. One without `read` is for orders; one with it is for orders too if it has an origin. */
function readToken(name: string, section: Section, isOrigin: (name: string) => boolean): TokenConfig | null {
  const { secret_file: file, sha256, origin, read } = section.filled(tokenSchema);
  if ((file === undefined) === (sha256 === undefined)) {
    section.refuse("it needs either secret_file or sha256");
    return null;
  }
  const hash = sha256 ?? hashOf(file ?? "", section);
  if (hash === null) return null;
  const orders = !read || origin !== undefined || isOrigin(name);
  return {
    name,
    sha256: hash.toLowerCase(),
    secretFile: file ?? null,
    origin: origin ?? name,
    orders,
    reads: read,
  };
}

/** The daemon gets the hash only. */
function hashOf(file: string, section: Section): string | null {
  try {
    const secret = readFileSync(file, "utf8").split("\n")[0]?.trim() ?? "";
    // Loaded only where a token needs it: the start waits for this process.
    const { createHash } = process.getBuiltinModule("node:crypto");
    if (secret.length >= SHORTEST_SECRET) return createHash("sha256").update(secret).digest("hex");
    section.refuse(`the secret in ${file} must have ${SHORTEST_SECRET} characters or more`);
  } catch (error) {
    section.refuse(`secret_file: ${factOf(error)}`);
  }
  return null;
}

const SHORTEST_SECRET = 16;
