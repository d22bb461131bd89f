import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/waiting.ts";
import { LIMITS } from "../../core/limits.ts";
import { openFail2banSocket } from "./fail2ban-socket.ts";
import { CLOSE, END } from "./frame-reader.ts";
import { readPickle } from "./pickle-reader.ts";
import { writePickle } from "./pickle-writer.ts";
import { type Plain, Tuple } from "./plain.ts";
import { FAIL2BAN_METRICS, type Fail2banStats } from "./stats.ts";

describe("fail2ban's socket", () => {
  let folder: string;
  let path: string;
  let stats: Fail2banStats;
  let closing: (() => Promise<void>)[];
  const sockets: Socket[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-f2b-"));
    path = join(folder, "run", "fail2ban.sock");
    stats = FAIL2BAN_METRICS.zero();
    closing = [];
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const close of closing) await close();
    rmSync(folder, { recursive: true });
  });

  /** Echoes each command, slowly. */
  async function open(times = { idle: 60_000, message: 60_000 }): Promise<void> {
    const answer = async (command: Plain) => {
      await new Promise((resolve) => setImmediate(resolve));
      return command === "fail"
        ? { exception: { type: "UnknownJailException", args: ["x"] } as const }
        : { value: command };
    };
    const opened = await openFail2banSocket({ path, answer, stats, times });
    closing.push(() => opened.close());
  }

  /** A connection; `read` gives the messages so far. */
  async function dial(): Promise<{
    readonly socket: Socket;
    readonly messages: () => Buffer[];
    readonly isOver: () => boolean;
  }> {
    const socket = connect(path);
    sockets.push(socket);
    let bytes = Buffer.alloc(0);
    let isOver = false;
    socket.on("data", (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
    socket.on("close", () => (isOver = true));
    socket.on("error", () => undefined);
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    const messages = () => {
      const texts = bytes.toString("latin1").split(END.toString()).slice(0, -1);
      return texts.map((text) => Buffer.from(text, "latin1"));
    };
    return { socket, messages, isOver: () => isOver };
  }

  const framed = (...values: readonly Plain[]): Buffer =>
    Buffer.concat(values.flatMap((value) => [writePickle(value), END]));

  it("answers commands one after the other, until the client says that it closes", async () => {
    await open();
    const { socket, messages, isOver } = await dial();
    socket.write(framed(["ping"], ["status", "sshd"], "fail"));
    await eventually(() => expect(messages()).toHaveLength(3));
    const [first, second, third] = messages();
    expect(readPickle(first!)).toEqual(new Tuple([0, ["ping"]]));
    expect(readPickle(second!)).toEqual(new Tuple([0, ["status", "sshd"]]));
    expect(third!.toString("latin1")).toContain("cfail2ban.exceptions\nUnknownJailException\n");
    socket.write(Buffer.concat([CLOSE, END]));
    await eventually(() => expect(isOver()).toBe(true));
  });

  it("can be used by its owner alone, and leaves nothing behind", async () => {
    await open();
    expect(statSync(path).mode & 0o777).toBe(0o700);
    const { isOver } = await dial();
    await closing.pop()!();
    await eventually(() => expect(isOver()).toBe(true));
    expect(() => statSync(path)).toThrow("ENOENT");
  });

  it("does not take the socket of a running fail2ban, nor a file", async () => {
    await open();
    const listens = `Cannot listen on ${path}: fail2ban or another program listens there`;
    await expect(open()).rejects.toThrow(listens);
    path = join(folder, "file");
    writeFileSync(path, "");
    await expect(open()).rejects.toThrow("it is not a socket");
  });

  it("answers a pickle that is more than plain values with a sentence, and closes", async () => {
    await open();
    const { socket, messages, isOver } = await dial();
    socket.write(Buffer.concat([Buffer.from("cos\nsystem\n(S'true'\ntR."), END, framed(["ping"])]));
    await eventually(() => expect(isOver()).toBe(true));
    expect(messages()).toHaveLength(1);
    expect(messages()[0]?.toString("latin1")).toContain("something else than plain values (opcode 0x63)");
    expect(stats).toMatchObject({ refused: 1, broken: 0 });
  });

  it("refuses a command with too many values [limit: fail2banValues]", async () => {
    await open();
    const { socket, messages, isOver } = await dial();
    socket.write(Buffer.concat([Buffer.from(`](${"N".repeat(LIMITS.fail2banValues.value)}e.`), END]));
    await eventually(() => expect(isOver()).toBe(true));
    expect(messages()[0]?.toString("latin1")).toContain("more than 200000 values");
    expect(stats.refused).toBe(1);
  });

  it("closes a connection whose command is too long [limit: fail2banMessage]", async () => {
    await open();
    const { socket, isOver } = await dial();
    socket.write(Buffer.alloc(LIMITS.fail2banMessage.value + 20));
    await eventually(() => expect(isOver()).toBe(true));
    expect(stats.broken).toBe(1);
  });

  it("closes a connection whose command does not end, however its bytes come, and one that is idle", async () => {
    await open({ idle: 60_000, message: 50 });
    const slow = await dial();
    slow.socket.write("x");
    await eventually(() => {
      slow.socket.write("x");
      expect(slow.isOver()).toBe(true);
    });
    expect(stats.broken).toBe(1);
    await closing.pop()!();
    await open({ idle: 50, message: 60_000 });
    const idle = await dial();
    await eventually(() => expect(idle.isOver()).toBe(true));
    expect(stats.broken).toBe(1);
  });

  it("closes and counts connections over its limit [limit: fail2banConnections]", async () => {
    await open();
    const first = await dial();
    for (let i = 1; i < LIMITS.fail2banConnections.value; i++) await dial();
    const further = await dial();
    await eventually(() => expect(further.isOver()).toBe(true));
    expect(stats.turnedAway).toBe(1);
    first.socket.write(framed(["ping"]));
    await eventually(() => expect(first.messages()).toHaveLength(1));
  });
});
