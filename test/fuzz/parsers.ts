import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatAddress, parseAddress } from "../../src/core/address.ts";
import { formatDuration, parseDuration } from "../../src/core/duration.ts";
import { StoplogError } from "../../src/core/errors.ts";
import { FAIL2BAN, parseIni, SYSTEMD } from "../../src/core/ini.ts";
import { Packet } from "../../src/core/packet.ts";
import { formatPrefix, parsePrefix } from "../../src/core/prefix.ts";
import { readPickle } from "../../src/api/fail2ban/pickle-reader.ts";
import { writePickle } from "../../src/api/fail2ban/pickle-writer.ts";
import { type Plain, Tuple } from "../../src/api/fail2ban/plain.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { readFilterText } from "../../src/config/filters.ts";
import { loginsInUtmp } from "../../src/daemon/sessions/utmp.ts";
import { parseSpan } from "../../src/doctor/systemd-time.ts";
import { readDenyFile } from "../../src/enforce/hosts-deny/deny-file.ts";
import { readSaved } from "../../src/enforce/iptables/rules.ts";
import { readTable } from "../../src/enforce/nft-program/read-listing.ts";
import { parseList } from "../../src/enforce/recent/list-file.ts";
import { importBanban } from "../../src/import/banban/import-banban.ts";
import { readRecentRules } from "../../src/import/banban/recent-rules.ts";
import { readEntry } from "../../src/lists/reading/read-entry.ts";
import { compileFilter } from "../../src/match/filter/filter.ts";
import { plainLine } from "../../src/match/plain/plain-lines.ts";
import { readTimestamp } from "../../src/match/time/read-timestamp.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { readOrder } from "../../src/orders/read-order.ts";
import { parseGlob } from "../../src/source/file/glob.ts";
import { ExportReader } from "../../src/source/journal/export-format.ts";
import { LineStream } from "../../src/source/line-splitter.ts";
import { readIpPacket } from "../../src/source/nflog/ip-packet.ts";
import { LogBatch } from "../../src/source/nflog/log-batch.ts";
import { newSourceStats } from "../../src/source/source.ts";
import { FrameReader, FramingError } from "../../src/source/syslog/frame-reader.ts";
import { parseListenAddress } from "../../src/source/syslog/listen-address.ts";
import { MessageWriter } from "../../src/source/syslog/message-line.ts";
import { readRecord } from "../../src/store/ban-record.ts";
import { read as readConfigText } from "../support/read-config-text.ts";
import { ipPacket } from "../support/ip-frame.ts";
import { FAIL2BAN_BANS } from "./fail2ban-bans.ts";

/** A reader of foreign bytes. */
export interface Parser {
  readonly name: string;
  readonly samples: readonly Buffer[];
  /** Throws when the reader does not keep its word, or throws something else than a sentence for the user. */
  readonly read: (bytes: Buffer) => void;
}

const NOW = Date.UTC(2026, 10, 20, 12);
const text = (...samples: readonly string[]): Buffer[] =>
  samples.map((sample) => Buffer.from(sample, "latin1"));
const utf8 = (bytes: Buffer): string => bytes.toString("utf8");
const line = (bytes: Buffer): string => bytes.toString("latin1").replaceAll("\n", " ");

function same(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`${what}: ${String(got)} instead of ${String(expected)}`);
}

function isWithin(what: string, got: number, most: number): void {
  if (!(got <= most)) throw new Error(`${what}: ${got} is more than ${most}`);
}

const PACKET = Buffer.from(ipPacket({ source: "192.0.2.1", destination: "198.51.100.2", sourcePort: 4444 }));

/** Netlink's header and nfgenmsg, the packet's own attributes, padded to four bytes. */
const DATAGRAM = ((): Buffer => {
  const attribute = (type: number, value: Buffer): Buffer => {
    const padded = Buffer.alloc((4 + value.length + 3) & ~3);
    padded.writeUInt16LE(4 + value.length, 0);
    padded.writeUInt16LE(type, 2);
    value.copy(padded, 4);
    return padded;
  };
  const body = Buffer.concat([
    Buffer.from([2, 0, 0, 5]),
    attribute(1, Buffer.from([8, 0, 1, 0])),
    attribute(10, Buffer.from("drop: \0")),
    attribute(4, Buffer.from([0, 0, 0, 2])),
    attribute(12, Buffer.from([0, 0, 0, 1])),
    attribute(9, PACKET),
  ]);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(16 + body.length, 0);
  head.writeUInt16LE(0x400, 4);
  return Buffer.concat([head, body]);
})();

const LOGIN = ((): Buffer => {
  const record = Buffer.alloc(384);
  record.writeInt16LE(7, 0);
  record.writeInt32LE(4711, 4);
  record.set([192, 0, 2, 1], 348);
  return record;
})();

const example = readFileSync(join(packageRoot(), "docs/examples/stoplog.yaml"));
const filters = ["sshd", "postfix", "nginx-scan"].map((name) =>
  readFileSync(join(packageRoot(), "filters", name, "filter.yaml")),
);

const NFT = JSON.stringify({
  nftables: [
    { metainfo: { version: "1.0.6" } },
    { table: { family: "inet", name: "stoplog", handle: 1 } },
    {
      set: {
        family: "inet",
        name: "default4",
        table: "stoplog",
        type: "ipv4_addr",
        elem: [
          { elem: { val: "192.0.2.1", timeout: 60, expires: 59 } },
          { prefix: { addr: "192.0.2.0", len: 24 } },
          { range: ["192.0.2.1", "192.0.2.9"] },
        ],
      },
    },
    { rule: { family: "inet", table: "stoplog", chain: "prerouting", handle: 4, expr: [{ drop: null }] } },
  ],
});

/** `["set", "sshd", "x", 3, 0.5, None, True, (1,), {"a": [-1]}]` in protocols 0, 1, 2 and 5, by Python 3.11 with `pickle.dumps`. */
const PICKLES = [
  "286c70300a567365740a70310a6156737368640a70320a6156780a70330a6149330a6146302e350a614e614930310a612849310a7470340a61286470350a56610a70360a286c70370a492d310a6173612e",
  "5d71002858030000007365747101580400000073736864710258010000007871034b03473fe00000000000004e4930310a284b017471047d710558010000006171065d71074affffffff6173652e",
  "80025d71002858030000007365747101580400000073736864710258010000007871034b03473fe00000000000004e884b018571047d710558010000006171065d71074affffffff6173652e",
  "80059536000000000000005d94288c03736574948c0473736864948c0178944b03473fe00000000000004e884b0185947d948c0161945d944affffffff6173652e",
].map((hex) => Buffer.from(hex, "hex"));

function hasBytes(value: Plain): boolean {
  if (value instanceof Uint8Array) return true;
  if (value instanceof Tuple) return value.items.some(hasBytes);
  if (value instanceof Map) return [...value.values()].some(hasBytes);
  return Array.isArray(value) && value.some(hasBytes);
}

/** Every reader of bytes that come from elsewhere. */
export const PARSERS: readonly Parser[] = [
  {
    name: "address",
    samples: text("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0", "[2001:db8::1]"),
    read: (bytes) => {
      const address = parseAddress(utf8(bytes));
      if (address !== null)
        same("round trip", formatAddress(parseAddress(formatAddress(address))!), formatAddress(address));
    },
  },
  {
    name: "prefix",
    samples: text("192.0.2.0/24", "2001:db8::/32", "192.0.2.1", "::/0"),
    read: (bytes) => {
      const prefix = parsePrefix(utf8(bytes));
      if (prefix !== null)
        same("round trip", formatPrefix(parsePrefix(formatPrefix(prefix))!), formatPrefix(prefix));
    },
  },
  {
    name: "duration",
    samples: text("10m", "1h30m", "1d 2h", "90", "-1", "1.5 hours"),
    read: (bytes) => {
      const duration = parseDuration(utf8(bytes));
      if (duration !== null && Number.isNaN(duration)) throw new Error("it is not a number");
      if (duration !== null && duration >= 0) formatDuration(duration);
    },
  },
  {
    name: "systemd-time",
    samples: text("5min 20s", "1h", "infinity"),
    read: (bytes) => void parseSpan(utf8(bytes)),
  },
  {
    name: "timestamp",
    samples: text(
      "Nov 20 14:44:48 host x",
      "2026-11-20T14:44:48.123Z x",
      "20/Nov/2026:14:44:48 +0000",
      "1795185888.123 x",
      "type=X msg=audit(1795185888.123:42): x",
      "@400000006b0077aa1dcd6500 x",
      "<34>Fri Nov 20 14:44:48 2026",
    ),
    read: (bytes) => {
      const at = readTimestamp(line(bytes), NOW, fixedZone(0));
      if (at !== null && !Number.isFinite(at)) throw new Error(`it read ${at}`);
    },
  },
  {
    name: "container-line",
    samples: text(
      '{"log":"x \\u001b[31mred\\u001b[0m\\n","stream":"stderr","attrs":{"a":"b"},"time":"2026-11-20T14:44:48.123456789Z"}',
      "2026-11-20T14:44:48.123456789Z stderr F \u001b[31mx",
      "#033[1;33mNOTICE#033[0m: x",
    ),
    read: (bytes) => isWithin("length", plainLine(line(bytes)).text.length, bytes.length),
  },
  {
    name: "lines",
    samples: text("a\nb\r\nc", "x".repeat(300), "\n\n\n"),
    read: (bytes) => {
      let longest = 0;
      const stream = new LineStream(
        (batch) => {
          for (const one of batch.bytes.toString("latin1", batch.start, batch.end).split("\n"))
            longest = Math.max(longest, one.length);
        },
        newSourceStats(),
        256,
      );
      const half = bytes.length >> 1;
      stream.push(Buffer.from(bytes.subarray(0, half)));
      stream.push(Buffer.from(bytes.subarray(half)));
      stream.flush();
      isWithin("longest line", longest, 256);
    },
  },
  {
    name: "syslog-message",
    samples: text(
      "<34>Oct 11 22:14:15 box su[7]: text",
      "<34>Oct 11 22:14:15 su[7]: text",
      '<34>1 2026-10-11T22:14:15.003Z box su 7 ID47 [a@1 b="c"] text',
      "<165>1 - - - - - -",
    ),
    read: (bytes) => {
      const to = new Uint8Array(300);
      const writer = new MessageWriter(Buffer.from("host"), 256);
      writer.aim(to, 10);
      writer.write(bytes, 0, bytes.length);
      if (to.subarray(10).includes(10)) throw new Error("it wrote a line end");
      if (to.subarray(0, 10).some((byte) => byte !== 0) || to.subarray(266).some((byte) => byte !== 0))
        throw new Error("it wrote beside its room");
    },
  },
  {
    name: "syslog-stream",
    samples: text("20 <34>Oct 11 22:14:15 <34>x\n", "<34>Oct 11 a\n<34>b\n", "999 <34>"),
    read: (bytes) => {
      const reader = new FrameReader(256, newSourceStats(), (_, start, end) =>
        isWithin("message", end - start, 256),
      );
      try {
        for (let at = 0; at < bytes.length; at += 7) reader.push(bytes.subarray(at, at + 7));
        reader.end();
      } catch (thrown) {
        if (!(thrown instanceof FramingError)) throw thrown;
      }
    },
  },
  {
    name: "journal-export",
    samples: [
      ...text("MESSAGE=x\n_PID=7\n\n"),
      Buffer.concat([
        Buffer.from("MESSAGE\n"),
        Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]),
        Buffer.from("a\nb\n\n"),
      ]),
    ],
    read: (bytes) => {
      const reader = new ExportReader(new Set(["MESSAGE", "_PID"]), 64, (entry) => {
        for (const value of entry.values()) isWithin("field", value.length, 64);
      });
      for (let at = 0; at < bytes.length; at += 11) reader.push(bytes.subarray(at, at + 11));
    },
  },
  {
    name: "ip-packet",
    samples: [
      PACKET,
      Buffer.concat([Buffer.from([0x60, 0, 0, 0, 0, 8, 17, 64]), Buffer.alloc(32, 1), PACKET]),
    ],
    read: (bytes) => {
      for (const type of [0, 0x0800, 0x86dd, 0x8100])
        readIpPacket(bytes, 0, bytes.length, type, new Packet());
    },
  },
  {
    name: "nflog-datagram",
    samples: [DATAGRAM, Buffer.concat([DATAGRAM, DATAGRAM])],
    read: (bytes) => {
      const batch = new LogBatch({ shed: 0, unusable: 0 }, () => "eth0");
      batch.aim(bytes);
      let packets = 0;
      while (batch.next()) isWithin("packets", ++packets, bytes.length);
    },
  },
  {
    name: "utmp",
    samples: [LOGIN, Buffer.concat([LOGIN, LOGIN])],
    read: (bytes) => void loginsInUtmp(bytes, false),
  },
  {
    name: "order",
    samples: text(
      '{"order":"ban","address":"192.0.2.1","duration":"1h","target":"default","reason":"x","id":"17"}',
      '{"address":"2001:db8::/64","duration":60,"id":3}',
    ),
    read: (bytes) => void readOrder(utf8(bytes)),
  },
  FAIL2BAN_BANS,
  {
    name: "ban-record",
    samples: text(
      '{"bans":["192.0.2.1","2001:db8::/64"],"target":"default","jail":"sshd","reason":"x","since":1,"until":2,"origin":"local"}',
      '{"lifts":["192.0.2.1"],"target":"default","by":"operator","at":5}',
    ),
    read: (bytes) => void readRecord(utf8(bytes), (_, ban) => void formatPrefix(ban.prefix)),
  },
  {
    name: "pickle",
    samples: PICKLES,
    read: (bytes) => {
      const value = readPickle(bytes);
      const text = JSON.stringify(value);
      // Protocol 2 has no bytes.
      if (hasBytes(value)) return;
      same("round trip", JSON.stringify(readPickle(writePickle(value))), text);
    },
  },
  {
    name: "list-entry",
    samples: text(
      "192.0.2.0/24 ; SBL1",
      "192.0.2.9 - 192.0.2.20",
      "192.0.2.0  192.0.2.255  24  9",
      '{"cidr":"192.0.2.0/24"}',
    ),
    read: (bytes) => void readEntry(utf8(bytes)),
  },
  { name: "configuration", samples: [example], read: (bytes) => void readConfigText(utf8(bytes)) },
  {
    name: "filter",
    samples: filters,
    read: (bytes) => {
      const { definition, errors } = readFilterText(utf8(bytes), "x.yaml", "x");
      if (errors.length === 0) compileFilter(definition);
    },
  },
  {
    name: "pattern",
    samples: text(
      "^<SYSLOG>refused <HOST>$",
      "(?<!a)x{2,5}(?:a|b)*? <ADDR>",
      "[[:alpha:]]\\d+(?P<user>\\S+) <F-USER>.*</F-USER> <HOST>",
    ),
    read: (bytes) => {
      const { problems } = compileFilter({
        name: "x",
        failregex: [utf8(bytes)],
        ignoreregex: [],
        goodregex: [],
      });
      for (const { fact } of problems) if (fact === "") throw new Error("a problem without a fact");
    },
  },
  {
    name: "ini",
    samples: text("[sshd]\nenabled = true\nlogpath = /x\n  /y ; c\n# c\n[x]\na: %(b)s\n"),
    read: (bytes) => {
      for (const dialect of [FAIL2BAN, SYSTEMD]) parseIni(utf8(bytes), "x.conf", dialect);
    },
  },
  {
    name: "banban",
    samples: text(
      "socket: /run/banban\ngoodpatterns:\n  - '^a (?<ip>[0-9.]+) ok'\nblocktypes:\n  mild:\n    target: SLOW\n    minocc: 1\n    interval: 60\n    patterns:\n      - '^b (?<ip>[[:xdigit:]:.]+)\\z'\n",
    ),
    read: (bytes) => void importBanban(utf8(bytes), "banban.yml", null),
  },
  {
    name: "recent-rules",
    samples: text("-A INPUT -m recent --rcheck --seconds 180 --hitcount 3 --name SLOW --rsource -j DROP\n"),
    read: (bytes) => void readRecentRules(utf8(bytes)),
  },
  {
    name: "recent-list",
    samples: text("src=192.0.2.1 ttl: 64 last_seen: 1 oldest_pkt: 1 1\n"),
    read: (bytes) => void parseList(utf8(bytes)),
  },
  {
    name: "iptables-save",
    samples: text(
      '*filter\n:INPUT ACCEPT [0:0]\n-A stoplog-default -s 192.0.2.1/32 -m comment --comment "stoplog until 5" -j DROP\nCOMMIT\n',
    ),
    read: (bytes) => void readSaved(utf8(bytes), "stoplog-default"),
  },
  { name: "nft-listing", samples: text(NFT), read: (bytes) => void readTable(utf8(bytes), "stoplog") },
  {
    name: "hosts.deny",
    samples: text("# stoplog until 2026-11-20T12:00:00Z\nsshd: 192.0.2.1\nALL: [2001:db8::]/64\n"),
    read: (bytes) => void readDenyFile(utf8(bytes)),
  },
  {
    name: "glob",
    samples: text("/var/log/*/[a-c]?.log", "/var/log/**/x", "/a/{b,c}"),
    read: (bytes) => void parseGlob(utf8(bytes)),
  },
  {
    name: "listen-address",
    samples: text("unix:/run/x", "udp:127.0.0.1:514", "tcp:[::1]:514"),
    read: (bytes) => void parseListenAddress(utf8(bytes)),
  },
];

/** Whether a reader may throw this: a sentence for the user. */
export function isSentence(thrown: unknown): boolean {
  return thrown instanceof StoplogError;
}
