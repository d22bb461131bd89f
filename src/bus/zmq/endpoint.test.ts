import { describe, expect, it } from "vitest";
import { isRemote, parseEndpoint } from "./endpoint.ts";

describe("an endpoint", () => {
  it.each([
    ["tcp://127.0.0.1:22620", { kind: "tcp", host: "127.0.0.1", port: 22620 }],
    ["tcp://*:22620", { kind: "tcp", host: "*", port: 22620 }],
    ["tcp://[2001:db8::1]:1", { kind: "tcp", host: "[2001:db8::1]", port: 1 }],
    ["tcp://scorer.example:65535", { kind: "tcp", host: "scorer.example", port: 65535 }],
    ["ipc:///run/scorer.sock", { kind: "ipc", path: "/run/scorer.sock" }],
  ])("%s", (text, expected) => {
    expect(parseEndpoint(text, "bind")).toEqual(expected);
  });

  it.each([
    "",
    "127.0.0.1:22620",
    "tcp://",
    "tcp://:1",
    "tcp://a:0",
    "tcp://a:65536",
    "tcp://a:1;tcp://b:2",
    "tcp://a b:1",
    "inproc://x",
    "pgm://eth0;239.192.1.1:5555",
    "ipc://relative",
    `ipc:///${"x".repeat(107)}`,
  ])("%s is none", (text) => {
    expect(parseEndpoint(text, "bind")).toBeTypeOf("string");
  });

  it("cannot connect to *", () => {
    expect(parseEndpoint("tcp://*:1", "connect")).toBe("* is a place to bind, not to connect to");
  });

  it.each([
    ["tcp://127.1.2.3:1", false],
    ["tcp://localhost:1", false],
    ["tcp://[::1]:1", false],
    ["ipc:///run/x", false],
    ["tcp://*:1", true],
    ["tcp://192.0.2.1:1", true],
    ["tcp://localhost.example:1", true],
  ])("others can be at the end of %s: %s", (text, remote) => {
    const endpoint = parseEndpoint(text, "bind");
    expect(typeof endpoint === "string" ? endpoint : isRemote(endpoint)).toBe(remote);
  });
});
