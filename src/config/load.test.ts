import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filterNames, findFilter, loadFilterFile } from "./find-filter.ts";
import { loadConfig } from "./load.ts";
import { defaultStateDirectory } from "./state-directory.ts";
import { packageRoot } from "./package-root.ts";
import { LONGEST_TEXT } from "../schema/longest-text.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-config-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file below the test's folder and answers its path. */
function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe("loadConfig()", () => {
  it("loads the example without an error or a note", () => {
    const { config, errors } = loadConfig(join(packageRoot(), "docs/examples/stoplog.yaml"), {
      isRoot: true,
    });
    expect(errors).toEqual([]);
    expect(config?.notes).toEqual([]);
    expect(config?.jails.map((jail) => jail.name)).toEqual(["sshd", "nginx", "synflood", "postfix", "app"]);
  });

  it("has a state directory for root only, unless one is configured", () => {
    const path = write("stoplog.yaml", "log: {}\n");
    expect(loadConfig(path, { isRoot: true }).config?.stateDirectory).toBe("/var/lib/stoplog");
    const { config } = loadConfig(path, { isRoot: false });
    expect(config?.stateDirectory).toBeNull();
    expect(config?.notes.join()).toContain("do not survive a restart");
    const none = write("none.yaml", "state: false\n");
    expect(loadConfig(none, { isRoot: false }).config?.notes.join()).not.toContain("restart");
  });

  it("takes systemd's state directory", () => {
    expect(defaultStateDirectory(false, { STATE_DIRECTORY: "/var/lib/stoplog:/var/lib/other" })).toBe(
      "/var/lib/stoplog",
    );
    expect(defaultStateDirectory(true, { STATE_DIRECTORY: "/srv/state" })).toBe("/srv/state");
    expect(defaultStateDirectory(false, { STATE_DIRECTORY: "relative" })).toBeNull();
  });

  it("finds a filter's file relative to the configuration's directory", () => {
    write("mine/web.yaml", "failregex: '^<HOST> denied$'\n");
    const path = write(
      "stoplog.yaml",
      "sources: { a: { type: stdin } }\njails: { x: { sources: a, filter: mine/web.yaml } }\n",
    );
    const { config, errors } = loadConfig(path);
    expect(errors).toEqual([]);
    expect(config?.jails[0]?.filter).toMatchObject({ name: "web", failregex: ["^<HOST> denied$"] });
  });

  it("says in one sentence why a file cannot be read", () => {
    const missing = join(folder, "none.yaml");
    expect(loadConfig(missing)).toEqual({
      config: null,
      errors: [`Cannot read ${missing}: no such file or directory`],
    });
    expect(loadConfig(folder).errors).toEqual([`Cannot read ${folder}: not a regular file`]);
    const latin1 = write("latin1.yaml", Buffer.from([0x61, 0x3a, 0x20, 0xe9]));
    expect(loadConfig(latin1).errors).toEqual([`Cannot read ${latin1}: not UTF-8`]);
    const large = write("large.yaml", Buffer.alloc(LONGEST_TEXT + 1, "#"));
    expect(loadConfig(large).errors).toEqual([`Cannot read ${large}: larger than 1 MiB`]);
  });

  it("does not wait for the writer of a named pipe", () => {
    const pipe = join(folder, "pipe");
    execFileSync("/usr/bin/mkfifo", [pipe]);
    expect(loadConfig(pipe).errors).toEqual([`Cannot read ${pipe}: not a regular file`]);
  });

  it.skipIf(process.geteuid?.() === 0)("reports a file without read permission (skipped for root)", () => {
    const path = write("secret.yaml", "");
    chmodSync(path, 0);
    expect(loadConfig(path).errors).toEqual([`Cannot read ${path}: permission denied`]);
  });

  it("reads a file with a byte order mark", () => {
    const path = write("bom.yaml", "\ufefflog: { level: loud }\n");
    expect(loadConfig(path).errors[0]).toContain("bom.yaml:1:15)");
  });
});

describe("loadConfig() of files that other users can change", () => {
  const YAML =
    "state: false\nsources: { a: { type: stdin } }\njails: { x: { sources: a, filter: mine.yaml } }\n";
  const TOKEN = 'api: { listen: "127.0.0.1:0", tokens: { t: { secret_file: FOLDER/token } } }\n';
  let path = "";

  beforeEach(() => {
    write("mine.yaml", "failregex: '^<HOST> denied$'\n");
    write("token", "0123456789abcdef\n");
    path = write("stoplog.yaml", YAML + TOKEN.replace("FOLDER", folder));
  });

  it("takes files that only this user writes", () => {
    const { config, errors, openFiles } = loadConfig(path, { isRoot: true });
    expect([errors, config?.notes, openFiles]).toEqual([[], [], []]);
  });

  it.each(["stoplog.yaml", "mine.yaml", "token"])("%s: root refuses it, another user is warned", (name) => {
    const at = join(folder, name);
    chmodSync(at, 0o666);
    const sentence = `every user can write it (mode 666); cure: chmod o-w ${at}`;
    expect(loadConfig(path, { isRoot: true })).toMatchObject({
      config: null,
      errors: [`Cannot use ${at}: ${sentence}`],
    });
    for (const options of [{ isRoot: false }, { isRoot: true, trusting: true }])
      expect(loadConfig(path, options)).toMatchObject({
        config: { notes: [`${at}: ${sentence}`] },
        errors: [],
        openFiles: [{ path: at }],
      });
  });

  it("root refuses a file in a folder that every user writes, unless it is sticky", () => {
    chmodSync(folder, 0o777);
    expect(loadConfig(path, { isRoot: true }).errors).toHaveLength(3);
    chmodSync(folder, 0o1777);
    expect(loadConfig(path, { isRoot: true }).errors).toEqual([]);
  });

  it.runIf(process.geteuid?.() === 0)("a group and an owner (run by root)", () => {
    chownSync(path, 0, 27);
    chmodSync(path, 0o664);
    expect(loadConfig(path, { isRoot: true })).toMatchObject({
      config: { notes: [`${path}: group 27 can write it (mode 664); cure: chmod g-w ${path}`] },
      errors: [],
    });
    chownSync(path, 1000, 0);
    expect(loadConfig(path, { isRoot: true }).errors).toEqual([
      `Cannot use ${path}: user 1000 owns it; cure: chown root ${path}`,
    ]);
  });
});

describe("findFilter()", () => {
  it("prefers the operator's filter to the library's, as NAME.yaml or NAME/filter.yaml", () => {
    write("own/sshd.yaml", "failregex: own\n");
    write("library/sshd/filter.yaml", "failregex: library\n");
    write("library/nginx/filter.yaml", "failregex: library\n");
    const directories = [join(folder, "own"), join(folder, "library"), join(folder, "not there")];
    expect(findFilter("sshd", directories)).toMatchObject({
      kind: "found",
      name: "sshd",
      text: "failregex: own\n",
    });
    expect(findFilter("nginx", directories)).toMatchObject({ kind: "found", name: "nginx" });
    expect(findFilter("ngin", directories)).toEqual({ kind: "missing", known: ["nginx", "sshd"] });
  });

  it("does not leave its directories for a name", () => {
    write("secret.yaml", "failregex: x\n");
    for (const name of ["..", ".", "", "a\0b"]) {
      expect(findFilter(name, [join(folder, "own")])).toMatchObject({ kind: "missing" });
    }
  });

  it("takes the path of a file or of a filter's directory", () => {
    const file = write("library/sshd/filter.yaml", "failregex: x\n");
    expect(findFilter(file)).toMatchObject({ kind: "found", name: "sshd", path: file });
    expect(findFilter("./library/sshd", [], folder)).toMatchObject({
      kind: "found",
      name: "sshd",
      path: file,
    });
    expect(findFilter("./nowhere.yaml", [], folder)).toEqual({
      kind: "unreadable",
      fact: "no such file or directory",
    });
  });
});

describe("loadFilterFile()", () => {
  it("reads every filter of the library without an error", () => {
    const names = filterNames([join(packageRoot(), "filters")]);
    expect(names).toEqual(
      expect.arrayContaining(["dovecot", "kernel-syn", "named", "nginx", "postfix", "sshd"]),
    );
    expect(names.flatMap((name) => loadFilterFile(name).errors)).toEqual([]);
  });

  it("lists the filters when none has that name", () => {
    write("sshd.yaml", "failregex: x\n");
    expect(loadFilterFile("sshx", [folder]).errors).toEqual([
      "Cannot use filter sshx: filter sshx does not exist (did you mean sshd?); there is sshd",
    ]);
  });

  it("reports every error of a filter's file", () => {
    const path = write("bad.yaml", "failregex: ['(<HOST>']\ngodregex: []\n");
    expect(loadFilterFile(path).errors).toEqual([
      `Cannot use filter bad: failregex 1 has unterminated group (${path}:1:13)`,
      `Cannot use filter bad: unknown key godregex (did you mean goodregex?) (${path}:2:1)`,
    ]);
    expect(loadFilterFile(join(folder, "none.yaml")).errors).toEqual([
      `Cannot read filter ${join(folder, "none.yaml")}: no such file or directory`,
    ]);
  });
});

describe("packageRoot()", () => {
  it("is found from src, from dist and from dist/chunks", () => {
    write("package.json", '{ "name": "stoplog" }');
    write("node_modules/x/package.json", "{");
    for (const file of [
      "src/config/package-root.ts",
      "dist/stoplog.mjs",
      "dist/chunks/x.mjs",
      "node_modules/x/y.js",
    ]) {
      expect(packageRoot(join(folder, file))).toBe(folder);
    }
  });

  it("reports that it is missing", () => {
    expect(() => packageRoot("/nowhere/x.mjs")).toThrow(
      "Cannot find Stoplog's own files: no package.json of stoplog above /nowhere/x.mjs",
    );
  });
});
