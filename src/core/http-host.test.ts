import { describe, expect, it } from "vitest";
import { foreignHost, type HostHeaders } from "./http-host.ts";

const reason = (headers: HostHeaders) => foreignHost(headers, (name) => name === "edge.example");

describe("a request", () => {
  it("may name an address, localhost or a name of this server", () => {
    for (const host of [
      "192.0.2.1",
      "192.0.2.1:80",
      "[2001:db8::1]:80",
      "[::1]",
      "LOCALHOST:1",
      "a.localhost",
      "Edge.Example:443",
    ])
      expect([host, reason({ host })]).toEqual([host, null]);
    expect(reason({})).toBe(null);
  });

  it("may not name another host", () => {
    expect(reason({ host: "evil.example:80" })).toBe("evil.example is not a name of this server");
    expect(reason({ host: "edge.example.evil.example" })).not.toBe(null);
    expect(reason({ host: "" })).not.toBe(null);
    expect(reason({ host: "\u001b[31m<b>" })).toBe("?[31m?b? is not a name of this server".replace("[", "?"));
  });

  it("may come from a web page of this server, and of no other", () => {
    const host = "edge.example:8443";
    expect(reason({ host, origin: "https://edge.example:8443" })).toBe(null);
    expect(reason({ host, origin: "https://edge.example" })).toBe(null);
    expect(reason({ host: "127.0.0.1:1", origin: "http://127.0.0.1:1" })).toBe(null);
    expect(reason({ host, origin: "https://evil.example" })).toBe("it comes from a web page of evil.example");
    expect(reason({ host: "127.0.0.1:1", origin: "http://127.0.0.1:2" })).toBe(
      "it comes from a web page of 127.0.0.1",
    );
    expect(reason({ host, origin: "null" })).toBe("it comes from a web page of an unknown origin");
  });
});
