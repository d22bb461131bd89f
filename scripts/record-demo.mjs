// @ts-check
// Runs `stoplog demo` in a terminal and draws what it printed as docs/images/demo.svg. Needs root, and script(1) of util-linux.
//
//   node scripts/record-demo.mjs [SECONDS]

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const seconds = Number(process.argv[2] ?? 6);
const COMMAND = `stoplog demo --seconds ${seconds}`;

// Builds first, so that the recording is of the demo alone.
execFileSync(`${root}stoplog`, ["--version"]);
const output = execFileSync("script", ["-qec", `./${COMMAND}`, "/dev/null"], {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, TERM: "xterm-256color", FORCE_COLOR: "1" },
});

// In pixels: what a monospaced letter of 13 px takes.
const [LETTER, LINE, LEFT, TOP] = [7.83, 18, 18, 52];

/** @type {Readonly<Record<string, string>>} */
const CLASSES = { 1: "b", 2: "d", 31: "r", 32: "g", 33: "y", 36: "c" };

/** One line with its colours as SVG. @param {string} line */
function spans(line) {
  /** @type {Set<string>} */
  let classes = new Set();
  let out = "";
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    const codes = /^\u001b\[([\d;]*)m$/.exec(part)?.[1];
    if (codes === undefined) {
      const text = part.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
      if (text !== "")
        out += classes.size === 0 ? text : `<tspan class="${[...classes].join(" ")}">${text}</tspan>`;
      continue;
    }
    for (const code of codes.split(";")) {
      if (code === "22") classes = new Set([...classes].filter((name) => name !== "b" && name !== "d"));
      else if (code === "39") classes = new Set([...classes].filter((name) => name === "b" || name === "d"));
      else if (code === "0" || code === "") classes = new Set();
      else if (CLASSES[code] !== undefined) classes.add(CLASSES[code]);
    }
  }
  return out;
}

const lines = [`\u001b[32m#\u001b[39m ${COMMAND}`, ...output.replaceAll("\r", "").trimEnd().split("\n")];
const widest = Math.max(...lines.map((line) => line.replaceAll(/\u001b\[[\d;]*m/g, "").length));
const [width, height] = [Math.ceil(widest * LETTER + 2 * LEFT), TOP + lines.length * LINE + 8];

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A run of stoplog demo in a terminal">
  <style>
    text { font: 13px ui-monospace, SFMono-Regular, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d1d7e0; white-space: pre }
    .b { font-weight: 700; fill: #ffffff } .d { fill: #9198a1 } .r { fill: #ff7b72 } .g { fill: #7ee787 } .y { fill: #d29922 } .c { fill: #79c0ff }
  </style>
  <rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>
  <circle cx="22" cy="20" r="6" fill="#ff5f56"/><circle cx="42" cy="20" r="6" fill="#ffbd2e"/><circle cx="62" cy="20" r="6" fill="#27c93f"/>
${lines.map((line, i) => `  <text x="${LEFT}" y="${TOP + i * LINE}" xml:space="preserve">${spans(line)}</text>`).join("\n")}
</svg>
`;
writeFileSync(`${root}docs/images/demo.svg`, svg);
console.error(`Wrote docs/images/demo.svg: ${lines.length} lines.`);
