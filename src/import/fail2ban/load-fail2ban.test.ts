import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useCompilations } from "../../match/filter/filter.ts";
import { loadFail2ban } from "./load-fail2ban.ts";

let home = "";
let folder = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stoplog-load-"));
  folder = join(home, "fail2ban");
  mkdirSync(join(folder, "filter.d"), { recursive: true });
  write("filter.d/door.conf", "[Definition]\nfailregex = ^ no key for <HOST>$\n");
  write("jail.local", "[door]\nenabled = true\nfilter = door\nmaxretry = 4\nlogpath = /var/log/door.log\n");
});
afterEach(() => {
  useCompilations(() => undefined);
  rmSync(home, { recursive: true });
});

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(file: string | null = null) {
  return loadFail2ban(folder, { file, now: 0, isRoot: true, trusting: false });
}

describe("loadFail2ban()", () => {
  it("makes a configuration of the folder, and keeps the sentences of the import", () => {
    write(
      "filter.d/door.conf",
      "[Definition]\nfailregex = ^ no key for <HOST>$\n            ^(?>a) <HOST>\n",
    );
    const { config, errors } = load();
    expect(errors).toEqual([]);
    expect(config?.jails.map(({ name, steps }) => [name, steps[0]?.maxretry])).toEqual([["door", 4]]);
    expect(config?.path).toBeNull();
    expect(config?.imported?.folder).toBe(folder);
    expect(config?.imported?.differences.join("\n")).toMatch(
      /door: filter door: failregex 2: .+: left out \(\S+filter\.d\/door\.conf:2\)/,
    );
    expect(config?.imported?.differences.join("\n")).not.toContain("tried");
  });

  it("takes the other sections from a stoplog.yaml, whose errors have their own lines", () => {
    const file = join(home, "stoplog.yaml");
    writeFileSync(file, "---\nlog: { level: warn }\nignoreip: [198.51.100.0/24]\n");
    const { config } = load(file);
    expect(config?.log.level).toBe("warn");
    expect(config?.ignoreip).toHaveLength(1);
    expect(config?.jails).toHaveLength(1);
    expect(config?.path).toBe(file);
    writeFileSync(file, "\nlog: { leval: warning }\n");
    expect(load(file).errors.join("\n")).toContain(`(${file}:2:8)`);
    writeFileSync(file, "jails: {}\n");
    expect(load(file).errors.join("\n")).toMatch(/jails.*stoplog\.yaml:1:1\)/);
  });

  it.each<[string, string, string, RegExp]>([
    [
      "a duplicate section",
      "jail.local",
      "[door]\n[door]\n",
      /duplicate section \[door\] \(\S+jail\.local:2\)/,
    ],
    ["a file that is not text", "filter.d/door.conf", "\0\0", /door\.conf: not a text file$/],
    ["no enabled jail", "jail.local", "[door]\nenabled = false\n", /no jail is enabled and can be converted/],
  ])("refuses a folder with %s", (_, name, text, expected) => {
    write(name, text);
    const { config, errors } = load();
    expect(config).toBeNull();
    expect(errors.join("\n")).toMatch(expected);
    expect(errors.join("\n")).not.toContain("left out:");
  });

  it("refuses a missing folder", () => {
    rmSync(folder, { recursive: true });
    expect(load().errors).toEqual([`Cannot read ${folder}: it contains neither jail.conf nor jail.local`]);
  });

  it("refuses, as root, files that other users can change", () => {
    chmodSync(
      write("jail.local", "[door]\nenabled = true\nfilter = door\nlogpath = /var/log/door.log\n"),
      0o666,
    );
    const { config, errors } = load();
    expect(config).toBeNull();
    expect(errors.join("\n")).toContain(`Cannot use ${join(folder, "jail.local")}: `);
  });
});
