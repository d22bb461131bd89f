// @ts-check
// Draws docs/images/flow.svg: what goes in, the stages, what comes out.
//
//   node scripts/draw-flow.mjs            writes it
//   node scripts/draw-flow.mjs --check    exits with 1 when the file that is checked in is stale

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../docs/images/flow.svg", import.meta.url));

/** @typedef {{ x: number, y: number, w: number, title: string, lines: readonly string[], kind?: "stage" | "edge" }} Box */

const HEIGHT = 84;
/** @type {Readonly<Record<string, Box>>} */
const boxes = {
  sources: {
    x: 16,
    y: 64,
    w: 172,
    title: "sources",
    lines: ["files · journal · syslog", "packets · commands"],
    kind: "edge",
  },
  matcher: { x: 238, y: 64, w: 164, title: "matcher", lines: ["all patterns,", "one pass over the bytes"] },
  jails: { x: 470, y: 64, w: 152, title: "jails", lines: ["maxretry failures", "in findtime"] },
  orders: {
    x: 16,
    y: 196,
    w: 172,
    title: "orders",
    lines: ["HTTP · ØMQ · lists", "stoplog ban"],
    kind: "edge",
  },
  gate: { x: 470, y: 196, w: 152, title: "gate", lines: ["how far each origin", "is trusted"] },
  book: { x: 668, y: 130, w: 152, title: "book", lines: ["active bans,", "a numbered feed"] },
  kernel: {
    x: 868,
    y: 32,
    w: 200,
    title: "enforcers",
    lines: ["nftables · ipset · iptables", "xt_recent · proxies · …"],
    kind: "edge",
  },
  store: {
    x: 868,
    y: 130,
    w: 200,
    title: "store",
    lines: ["bans, counters, positions", "survive a crash"],
    kind: "edge",
  },
  others: {
    x: 868,
    y: 228,
    w: 200,
    title: "readers",
    lines: ["log · metrics · API", "webhooks · mail · ØMQ"],
    kind: "edge",
  },
};

/** @type {readonly (readonly [string, string, string])[]} */
const arrows = [
  ["sources", "matcher", "bytes"],
  ["matcher", "jails", "failures"],
  ["jails", "book", ""],
  ["orders", "gate", "bans, unbans"],
  ["gate", "book", ""],
  ["book", "kernel", ""],
  ["book", "store", ""],
  ["book", "others", ""],
];

/** Black on white and white on black: the page decides. */
const STYLE = `
    text { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; text-anchor: middle }
    .title { font-size: 17px; font-weight: 600 }
    .line, .label { font-size: 12px; fill: #59636e }
    rect { fill: #f6f8fa; stroke: #d1d9e0; stroke-width: 1.5 }
    rect.stage { fill: #ddf4ff; stroke: #54aeff }
    path { fill: none; stroke: #59636e; stroke-width: 1.5 }
    marker path { fill: #59636e; stroke: none }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc } .line, .label { fill: #9198a1 }
      rect { fill: #151b23; stroke: #3d444d } rect.stage { fill: #121d2f; stroke: #1f6feb }
      path { stroke: #9198a1 } marker path { fill: #9198a1 }
    }`;

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** @param {Box} box */
function drawBox({ x, y, w, title, lines, kind = "stage" }) {
  const middle = x + w / 2;
  return [
    `  <rect class="${kind}" x="${x}" y="${y}" width="${w}" height="${HEIGHT}" rx="8"/>`,
    `  <text class="title" x="${middle}" y="${y + 28}">${escaped(title)}</text>`,
    ...lines.map(
      (line, i) => `  <text class="line" x="${middle}" y="${y + 50 + 17 * i}">${escaped(line)}</text>`,
    ),
  ].join("\n");
}

/** @param {string} from @param {string} to @param {string} label */
function drawArrow(from, to, label) {
  const [a, b] = [boxes[from], boxes[to]];
  if (a === undefined || b === undefined) throw new Error(`No box ${from} or ${to}`);
  const [x1, y1, x2, y2] = [a.x + a.w, a.y + HEIGHT / 2, b.x - 3, b.y + HEIGHT / 2];
  const bend = (x1 + x2) / 2;
  const line = y1 === y2 ? `M${x1} ${y1}H${x2}` : `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`;
  const text =
    label === "" ? "" : `\n  <text class="label" x="${(x1 + x2) / 2}" y="${y1 - 8}">${escaped(label)}</text>`;
  return `  <path d="${line}" marker-end="url(#head)"/>${text}`;
}

const description =
  "Sources give bytes to the matcher, the matcher gives failures to the jails, and jails put bans into the book. " +
  "Orders reach the book through the gate. Enforcers, store and other readers follow the book.";

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1084 330" role="img" aria-labelledby="title desc">
  <title id="title">How a line becomes a ban</title>
  <desc id="desc">${description}</desc>
  <style>${STYLE}
  </style>
  <defs><marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${arrows.map(([from, to, label]) => drawArrow(from, to, label)).join("\n")}
${Object.values(boxes).map(drawBox).join("\n")}
</svg>
`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== svg) {
    console.error("docs/images/flow.svg is stale; run node scripts/draw-flow.mjs");
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, svg);
}
