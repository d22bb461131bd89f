import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { formatAddress } from "../../core/address.ts";
import { loginInSession } from "./logind.ts";
import { loggedInFrom } from "./read-logins.ts";
import { loginsInUtmp } from "./utmp.ts";

interface Entry {
  readonly type?: number;
  readonly pid?: number;
  readonly host?: string;
  /** In hexadecimal, network order. */
  readonly address: string;
}

/** A record of utmp(5) as glibc writes it. */
function utmp({ type = 7, pid = process.pid, host = "", address }: Entry, isArm64 = false): Buffer {
  const record = Buffer.alloc(isArm64 ? 400 : 384);
  record.writeInt16LE(type, 0);
  record.writeInt32LE(pid, 4);
  record.write(host, 76, "latin1");
  Buffer.from(address, "hex").copy(record, isArm64 ? 360 : 348);
  return record;
}

const V4 = "c6336407";
const V6 = "20010db8000000000000000000000007";

const SESSION = `# This is private data. Do not parse.
UID=1000
USER=admin
ACTIVE=1
STATE=active
REMOTE=1
TYPE=tty
CLASS=user
REMOTE_HOST=198.51.100.7
SERVICE=sshd
LEADER=${process.pid}
`;

describe("the log-ins in utmp", () => {
  const from = (...entries: Entry[]) =>
    loginsInUtmp(Buffer.concat(entries.map((entry) => utmp(entry))), false).map(({ address }) =>
      formatAddress(address),
    );

  it("are the remote ones of users, IPv4 and IPv6", () => {
    expect(from({ address: V4 }, { address: V6 })).toEqual(["198.51.100.7", "2001:db8::7"]);
    expect(from({ address: "" }, { type: 8, address: V4 }, { type: 6, address: V4 })).toEqual([]);
    expect(loginsInUtmp(utmp({ address: V6 }, true), true)).toHaveLength(1);
  });

  it("have no address because of a text that a user can write", () => {
    expect(from({ address: "", host: "198.51.100.7" })).toEqual([]);
  });

  it("may be cut off in the middle", () => {
    expect(loginsInUtmp(utmp({ address: V4 }).subarray(0, 383), false)).toEqual([]);
  });
});

describe("a session of logind", () => {
  const from = (text: string) => {
    const login = loginInSession(text);
    return login === null ? null : formatAddress(login.address);
  };

  it("is a log-in when it is remote and not over", () => {
    expect(from(SESSION)).toBe("198.51.100.7");
    expect(from(SESSION.replace("198.51.100.7", "fe80::1%eth0"))).toBe("fe80::1");
    expect(from(SESSION.replace("REMOTE=1", "REMOTE=0"))).toBe(null);
    expect(from(SESSION.replace("active", "closing"))).toBe(null);
    expect(from(SESSION.replace("198.51.100.7", "client.example"))).toBe(null);
    expect(from("")).toBe(null);
  });
});

it("users are logged in from the addresses in both, as long as their process is there", () => {
  const folder = mkdtempSync(join(tmpdir(), "stoplog-sessions-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { utmp: join(folder, "utmp"), sessions: join(folder, "sessions") };
  const seen = () => loggedInFrom(files).map(formatAddress);
  expect(seen()).toEqual([]);
  mkdirSync(files.sessions);
  const gone = 4_194_304; // above the largest process number
  writeFileSync(
    files.utmp,
    Buffer.concat([
      utmp({ address: V6 }, process.arch === "arm64"),
      utmp({ address: V4, pid: gone }, process.arch === "arm64"),
    ]),
  );
  writeFileSync(join(files.sessions, "c3"), SESSION);
  writeFileSync(join(files.sessions, "4"), SESSION.replace(String(process.pid), String(gone)));
  writeFileSync(join(files.sessions, "5.ref"), SESSION);
  expect(seen()).toEqual(["2001:db8::7", "198.51.100.7"]);
});
