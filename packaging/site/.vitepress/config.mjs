// @ts-check
// The site of docs/: `npm run site` builds it. The order of the guide is that of a newcomer's first hour.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";

const docs = fileURLToPath(new URL("../pages", import.meta.url));

/** Pages of the guide, in the order in which a newcomer needs them. Others follow in the order of their names. */
const FIRST = [
  "install",
  "import",
  "service",
  "containers",
  "sources",
  "filters",
  "targets",
  "trouble",
  "doctor",
];

/** @param {string} folder @param {readonly string[]} [first] */
function pagesOf(folder, first = []) {
  const names = readdirSync(join(docs, folder))
    .filter((name) => name.endsWith(".md") && !["README.md", "index.md"].includes(name))
    .map((name) => name.slice(0, -3));
  const ordered = [
    ...first.filter((name) => names.includes(name)),
    ...names.filter((name) => !first.includes(name)),
  ];
  return ordered.map((name) => ({ text: titleOf(name), link: `/${folder}/${name}` }));
}

/** @param {string} name */
function titleOf(name) {
  const words = name.replace(/^\d{4}-/, "").replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// oxlint-disable-next-line import/no-default-export -- VitePress reads it
export default defineConfig({
  title: "Stoplog",
  description: "Bans attackers in the firewall, and keeps doing so when the flood is on",
  srcDir: "pages",
  outDir: "dist",
  cleanUrls: true,
  // Links to files of the repository that are not pages; test/lint/links.test.ts checks that they exist.
  ignoreDeadLinks: [
    /\.[a-z]+$/, // a page has lost its .md here
    /bench\//,
    /packaging\//,
    /filters\//,
  ],
  markdown: { html: false },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/guide/" },
      { text: "Reference", link: "/reference/configuration" },
    ],
    sidebar: [
      { text: "Guide", items: [{ text: "Overview", link: "/guide/" }, ...pagesOf("guide", FIRST)] },
      {
        text: "Reference",
        items: [
          ...pagesOf("reference"),
          { text: "Limits", link: "/limits" },
          { text: "Performance", link: "/performance" },
        ],
      },
      {
        text: "How it is built",
        items: [
          { text: "Architecture", link: "/ARCHITECTURE" },
          { text: "Contributing", link: "/CONTRIBUTING" },
          { text: "Security", link: "/SECURITY" },
          { text: "Changelog", link: "/CHANGELOG" },
          ...pagesOf("decisions"),
        ],
      },
    ],
  },
});
