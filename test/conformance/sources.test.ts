import { createSocket } from "node:dgram";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { execFileSync } from "node:child_process";
import { afterAll } from "vitest";
import { loadNative, nativeFault } from "../../src/kernel/native/libc.ts";
import { unixSocketAddress } from "../../src/kernel/native/socket-address.ts";
import { until } from "../support/waiting.ts";
import { RecordPipe } from "../support/record-pipe.ts";
import { StdinSource } from "../../src/source/stdin/stdin-source.ts";
import { openSource } from "../../src/source/kinds.ts";
import { sourceConformance, whenState } from "./source.ts";

const maxLine = 100;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "stoplog-conformance-"));
  folders.push(made);
  return made;
}

sourceConformance("file", { stream: true }, async () => {
  const path = join(folder(), "log");
  writeFileSync(path, "");
  const source = await openSource("one", { type: "file", path, maxLine });
  return {
    source,
    ready: () => whenState(source, /^follows/),
    write: async (bytes) => appendFileSync(path, bytes),
    close: () => undefined,
  };
});

/** A FIFO: one end is the standard input of a source, the other is written by the test. */
function fifo() {
  const path = join(folder(), "fifo");
  execFileSync("mkfifo", [path]);
  // Opened for reading and writing: opening does not wait for the other end.
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const write = async (bytes: Buffer): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(fd, bytes, at, Math.min(bytes.length - at, 4096));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 1)); // full
      }
    }
  };
  return { path, write, close: () => closeSync(fd) };
}

sourceConformance("command", { stream: true }, async () => {
  const { path, write, close } = fifo();
  const source = await openSource("one", { type: "command", command: ["cat", path], maxLine });
  return { source, ready: () => whenState(source, /^reads from/), write, close };
});

sourceConformance("stdin", { stream: true }, () => {
  const input = new PassThrough();
  const source = new StdinSource("one", { type: "stdin", maxLine }, () => input);
  return {
    source,
    ready: () => whenState(source, /^reads/),
    write: (bytes) => new Promise((resolve) => void input.write(bytes, () => resolve())),
    close: () => undefined,
  };
});

sourceConformance("syslog (TCP)", { stream: true }, async () => {
  const source = await openSource("one", { type: "syslog", listen: "tcp:127.0.0.1:0", maxLine });
  let socket: ReturnType<typeof connect> | undefined;
  return {
    source,
    async ready() {
      await whenState(source, /^listens/);
      socket = connect(Number(/\d+$/.exec(source.stats.state)?.[0]), "127.0.0.1");
      socket.on("error", () => undefined);
    },
    write: (bytes) => new Promise((resolve) => void socket?.write(bytes, () => resolve())),
    close: () => void socket?.destroy(),
  };
});

const linesOf = (bytes: Buffer): Buffer[] =>
  bytes
    .toString("latin1")
    .split("\n")
    .filter(Boolean)
    .map((line) => Buffer.from(line, "latin1"));

sourceConformance("syslog (UDP)", { stream: false }, async () => {
  const source = await openSource("one", { type: "syslog", listen: "udp:127.0.0.1:0", maxLine });
  const socket = createSocket("udp4");
  return {
    source,
    ready: () => whenState(source, /^listens/),
    async write(bytes) {
      const port = Number(/:(\d+),/.exec(source.stats.state)?.[1]);
      let sent = 0;
      for (const line of linesOf(bytes)) {
        await new Promise((resolve) => socket.send(line, port, "127.0.0.1", resolve));
        // UDP has no flow control: let the receiver run.
        if (++sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () => void socket.close(),
  };
});

if (nativeFault() === null) {
  const queueLength = "/proc/sys/net/unix/max_dgram_qlen";
  const before = readFileSync(queueLength, "latin1");
  afterAll(() => {
    if (process.getuid?.() === 0) writeFileSync(queueLength, before);
  });

  sourceConformance("syslog (UNIX)", { stream: false }, async () => {
    const path = join(folder(), "socket");
    const source = await openSource("one", { type: "syslog", listen: `unix:${path}`, maxLine });
    const { libc } = loadNative();
    const fd = libc.socket(1, 2, 0);
    const address = unixSocketAddress(path);
    return {
      source,
      ready: () => whenState(source, /^listens/),
      async write(bytes) {
        for (const line of linesOf(bytes)) {
          while (libc.sendto(fd, line, line.length, 0x40, address, address.length) < 0) {
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      },
      close: () => void libc.close(fd),
    };
  });
}

sourceConformance("journal", { stream: false, prefix: /^.*? test: / }, async () => {
  const { path, write, close } = fifo();
  const bin = folder();
  // A substitute for journalctl; test/system uses the real one.
  writeFileSync(join(bin, "journalctl"), `#!/bin/sh\necho ready >&2\nexec cat ${path}\n`);
  chmodSync(join(bin, "journalctl"), 0o755);
  const before = process.env["PATH"];
  process.env["PATH"] = `${bin}:${before}`;
  const source = await openSource("one", { type: "journal", maxLine });
  let n = 0;
  const entry = (line: Buffer): Buffer => {
    const size = Buffer.alloc(8);
    size.writeUInt32LE(line.length);
    const head = `__CURSOR=s=1;i=${++n}\n__REALTIME_TIMESTAMP=1795187836460002\n_HOSTNAME=box\nSYSLOG_IDENTIFIER=test\nMESSAGE\n`;
    return Buffer.concat([Buffer.from(head), size, line, Buffer.from("\n\n")]);
  };
  return {
    source,
    async ready() {
      await until("the source is ready", () => source.stats.state.endsWith("ready"));
      process.env["PATH"] = before;
    },
    write: (bytes) => write(Buffer.concat(linesOf(bytes).map(entry))),
    close,
  };
});

/** A substitute for /dev/kmsg: a pipe that returns one whole write for each read. test/system uses the real one. */
if (nativeFault() === null)
  sourceConformance("kmsg", { stream: false, prefix: /^.*? kernel: /, longest: 3000 }, async () => {
    const records = new RecordPipe();
    const source = await openSource("one", { type: "kmsg", path: records.path, maxLine });
    return {
      source,
      ready: () => whenState(source, /^reads/),
      async write(bytes) {
        for (const line of linesOf(bytes)) await records.write(line);
      },
      close: () => records.close(),
    };
  });
