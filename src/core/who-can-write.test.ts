import { describe, expect, it } from "vitest";
import { openingWords, type PathPart, whoCanWrite } from "./who-can-write.ts";

const FILE = "/etc/stoplog/stoplog.yaml";

function part(path: string, mode: number, uid = 0, gid = 0): PathPart {
  return { path, isFolder: path !== FILE, mode, uid, gid };
}

/** Sentences about FILE, below folders that only root writes unless others are given. */
function said(...parts: readonly PathPart[]): readonly string[] {
  const all = [part("/", 0o755), part("/etc", 0o755), ...parts];
  return whoCanWrite(all, { uids: [990], gids: [991] }).map((opening) => openingWords(FILE, opening));
}

describe("whoCanWrite()", () => {
  it.each([
    [part(FILE, 0o644)],
    [part(FILE, 0o600, 990)],
    [part(FILE, 0o664, 0, 0)],
    [part(FILE, 0o664, 0, 991)],
    [part("/etc/stoplog", 0o1777), part(FILE, 0o644)],
  ])("finds only root and the daemon's user: %j", (...parts) => {
    expect(said(...parts)).toEqual([]);
  });

  it.each([
    [[part(FILE, 0o666)], [`every user can write it (mode 666); cure: chmod o-w ${FILE}`]],
    [[part(FILE, 0o664, 0, 27)], [`group 27 can write it (mode 664); cure: chmod g-w ${FILE}`]],
    [[part(FILE, 0o644, 1000)], [`user 1000 owns it; cure: chown root ${FILE}`]],
    [
      [part("/etc/stoplog", 0o777), part(FILE, 0o644)],
      ["every user can change it: /etc/stoplog has mode 777; cure: chmod o-w /etc/stoplog"],
    ],
    [
      [part("/etc/stoplog", 0o775, 0, 27), part(FILE, 0o644)],
      ["group 27 can change it: /etc/stoplog has mode 775; cure: chmod g-w /etc/stoplog"],
    ],
    [
      [part("/etc/stoplog", 0o755, 1000), part(FILE, 0o644)],
      [
        "user 1000 can change it: they own /etc/stoplog; cure: move it to a folder that only root can write, such as /etc/stoplog",
      ],
    ],
    [
      [part("/etc/stoplog", 0o1777), part(FILE, 0o644, 1000)],
      [`user 1000 owns it; cure: chown root ${FILE}`],
    ],
    [
      [part(FILE, 0o622, 1000, 27)],
      [
        `user 1000 owns it; cure: chown root ${FILE}`,
        `every user can write it (mode 622); cure: chmod o-w ${FILE}`,
        `group 27 can write it (mode 622); cure: chmod g-w ${FILE}`,
      ],
    ],
  ])("finds who else can change a file: %j", (parts, sentences) => {
    expect(said(...parts)).toEqual(sentences);
  });
});
