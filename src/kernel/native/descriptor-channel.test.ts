import {
  chownSync,
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DescriptorChannel, MOST_DESCRIPTORS } from "./descriptor-channel.ts";
import { nativeFault } from "./libc.ts";

const fault = nativeFault();

describe.skipIf(fault !== null)(`DescriptorChannel${fault === null ? "" : ` (skipped: ${fault})`}`, () => {
  let folder: string;
  const never = new AbortController().signal;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-channel-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const pair = async (): Promise<readonly [DescriptorChannel, DescriptorChannel]> => {
    const path = join(folder, "channel");
    const coming = DescriptorChannel.listen(path, never);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const from = DescriptorChannel.connect(path);
    return [from, await coming];
  };

  it("sends open files", async () => {
    const [from, to] = await pair();
    writeFileSync(join(folder, "file"), "some text");
    const file = openSync(join(folder, "file"), "r");
    from.send({ text: "take it", descriptors: [file, file] });
    const parcel = await to.receive(never);
    expect(parcel?.text).toBe("take it");
    const [one = -1, other = -1] = parcel?.descriptors ?? [];
    expect(fstatSync(other).ino).toBe(fstatSync(file).ino);
    const bytes = Buffer.alloc(4);
    readSync(one, bytes);
    expect(bytes.toString()).toBe("some");
    to.send({ text: "thanks", descriptors: [] });
    expect(await from.receive(never)).toEqual({ text: "thanks", descriptors: [] });
    for (const fd of [file, one, other]) closeSync(fd);
    from.close();
    expect(await to.receive(never)).toBe(null);
    to.close();
  });

  it("knows the other process, and refuses more descriptors than the kernel takes", async () => {
    const [from, to] = await pair();
    expect(to.peer()).toEqual({ pid: process.pid, uid: process.getuid?.() });
    const descriptors = Array.from({ length: MOST_DESCRIPTORS + 1 }, () => 0);
    expect(() => from.send({ text: "", descriptors })).toThrow("Cannot send 254 descriptors: 253 at most");
    from.close();
    to.close();
  });

  const isRoot = process.geteuid?.() === 0;
  it.skipIf(!isRoot)(
    `belongs to the owner that root names${isRoot ? "" : " (skipped: not root)"}`,
    async () => {
      const path = join(folder, "channel");
      chownSync(folder, 65_534, 65_534);
      const coming = DescriptorChannel.listen(path, never, 65_534);
      expect(process.geteuid?.()).toBe(0);
      expect(statSync(path)).toMatchObject({ uid: 65_534, mode: 0o140_600 });
      DescriptorChannel.connect(path).close();
      (await coming).close();
    },
  );

  it("ends the wait when the signal aborts", async () => {
    const abort = new AbortController();
    const coming = DescriptorChannel.listen(join(folder, "channel"), abort.signal);
    abort.abort();
    await expect(coming).rejects.toThrow("no connection came");
    expect(() => DescriptorChannel.connect(join(folder, "channel"))).toThrow("Cannot connect to");
  });
});
