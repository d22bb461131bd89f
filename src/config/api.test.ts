import { describe, expect, it } from "vitest";
import { good, read } from "../../test/support/read-config-text.ts";

const HASH = "0".repeat(64);

/** The rights of a token with these keys, and the origins that the configuration has. */
function rights(keys: string, rest = "") {
  const token = `page: { sha256: "${HASH}"${keys === "" ? "" : `, ${keys}`} }`;
  const { api, origins } = good(`api: { listen: "127.0.0.1:8443", tokens: { ${token} } }\n${rest}`);
  const [{ orders, reads } = { orders: null, reads: null }] = api?.tokens ?? [];
  return { orders, reads, origins: origins.map(({ name, may }) => [name, ...may].join(" ")) };
}

describe("a token of the API", () => {
  it("is for orders, unless it says that it reads", () => {
    expect(rights("")).toEqual({ orders: true, reads: false, origins: ["page ban unban"] });
    expect(rights("read: true")).toEqual({ orders: false, reads: true, origins: [] });
  });

  it("reads and orders when it has an origin as well", () => {
    const both = { orders: true, reads: true };
    expect(rights("read: true, origin: x")).toEqual({ ...both, origins: ["x ban unban"] });
    expect(rights("read: true", "origins: { page: { may: [allow] } }")).toEqual({
      ...both,
      origins: ["page allow"],
    });
  });

  it("may order nothing with an empty `may`", () => {
    expect(rights("", "origins: { page: { may: [] } }").origins).toEqual(["page"]);
  });
});

describe("the names of the API", () => {
  it("are in lower case, and none by default", () => {
    const hosts = (keys: string) =>
      good(`api: { listen: "127.0.0.1:8443", ${keys} tokens: { a: { sha256: "${HASH}" } } }`).api?.hosts;
    expect(hosts("")).toEqual([]);
    expect(hosts("hosts: Edge.Example,")).toEqual(["edge.example"]);
  });
});

describe("the note that no jail is enabled", () => {
  it("is not given where orders can ban", () => {
    const isSaid = (text: string) => good(text).notes.some((note) => note.startsWith("no jail is enabled"));
    expect(isSaid("")).toBe(true);
    const token = `tokens: { a: { sha256: "${HASH}" } }`;
    expect(isSaid(`api: { listen: "127.0.0.1:8443", ${token} }`)).toBe(false);
    expect(isSaid("sources: { orders: { type: stdin, orders: true } }")).toBe(false);
  });
});

describe("fail2ban's socket", () => {
  it("needs no listener and no tokens, and goes with them", () => {
    const only = good("api: { fail2ban_socket: /run/fail2ban/fail2ban.sock }");
    expect([only.api, only.fail2banSocket]).toEqual([null, "/run/fail2ban/fail2ban.sock"]);
    const both = good(
      `api: { listen: "127.0.0.1:8443", tokens: { a: { sha256: "${HASH}" } }, fail2ban_socket: /run/f.sock }`,
    );
    expect([both.api?.listen.length, both.fail2banSocket]).toEqual([1, "/run/f.sock"]);
    expect(good("").fail2banSocket).toBe(null);
  });

  it("does not excuse half of the API over TCP", () => {
    const errors = (keys: string) =>
      read(`api: { ${keys} }`).errors.map((error) => /the api: .*(?= \()/.exec(error)?.[0]);
    expect(errors('listen: "127.0.0.1:8443", fail2ban_socket: /run/f.sock')).toEqual([
      "the api: tokens is missing",
    ]);
    expect(errors("cert: /a, key: /b, fail2ban_socket: /run/f.sock")).toEqual([
      "the api: cert needs listen",
      "the api: key needs listen",
    ]);
    expect(errors("hosts: []")).toEqual(["the api: listen is missing", "the api: tokens is missing"]);
    expect(errors("fail2ban_socket: f.sock")).toEqual([
      'the api: fail2ban_socket must begin with /, not "f.sock"',
    ]);
  });
});
