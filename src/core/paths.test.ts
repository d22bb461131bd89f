import { describe, expect, it } from "vitest";
import { controlSocketPath, SYSTEM_SOCKET_PATH } from "./paths.ts";

const own = { XDG_RUNTIME_DIR: "/run/user/1000" };
const nothing = (): boolean => false;
const everything = (): boolean => true;

describe("controlSocketPath()", () => {
  it("prefers STOPLOG_SOCKET", () => {
    const env = { ...own, STOPLOG_SOCKET: "/tmp/s.sock" };
    expect(controlSocketPath({ env, root: false, exists: everything })).toBe("/tmp/s.sock");
    expect(controlSocketPath({ env, root: true, exists: nothing })).toBe("/tmp/s.sock");
  });

  it("is the system's for root, even before it exists", () => {
    expect(controlSocketPath({ env: own, root: true, exists: nothing })).toBe(SYSTEM_SOCKET_PATH);
  });

  it("is the system's for every user if a daemon made one", () => {
    expect(controlSocketPath({ env: own, root: false, exists: everything })).toBe(SYSTEM_SOCKET_PATH);
  });

  it("is in the user's run-time directory if the system has none", () => {
    const path = controlSocketPath({ env: own, root: false, exists: nothing });
    expect(path).toBe("/run/user/1000/stoplog/control.sock");
  });

  it("is the system's without a run-time directory", () => {
    const env = { XDG_RUNTIME_DIR: "", STOPLOG_SOCKET: "" };
    expect(controlSocketPath({ env, root: false, exists: nothing })).toBe(SYSTEM_SOCKET_PATH);
  });
});
