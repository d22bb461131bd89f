// @ts-check
// Plain JavaScript, because Node 20 cannot load a TypeScript configuration and JSON cannot hold a table that is worth reading.

/**
 * Which folders of src/ each folder may import from, beside itself. The flow of the design, written down once: the
 * lint rules below and test/lint/import-direction.test.ts are both made from it.
 *
 * @type {Readonly<Record<string, readonly string[] | "all">>}
 */
export const mayImport = {
  core: [],
  schema: ["core"],
  kernel: ["core"],
  source: ["core", "schema", "kernel", "bus"],
  match: ["core"],
  jail: ["core"],
  book: ["core"],
  orders: ["core", "book"],
  enforce: ["core", "schema", "kernel", "book"],
  lists: ["core", "kernel", "source", "enforce"],
  offload: ["core", "kernel", "book", "jail", "enforce"],
  store: ["core", "book"],
  bus: ["core", "schema", "book", "source"],
  observe: ["core", "book"],
  notify: ["core", "schema", "book"],
  metrics: ["core", "kernel"],
  api: ["core", "kernel", "book", "observe", "metrics"],
  config: [
    "core",
    "schema",
    "orders",
    "bus",
    "source",
    "match",
    "jail",
    "enforce",
    "lists",
    "offload",
    "notify",
  ],
  import: ["core", "schema", "config", "source", "match", "enforce"],
  doctor: ["core", "kernel", "source", "match", "enforce", "api", "config", "lists", "offload", "bus"],
  daemon: [
    "core",
    "kernel",
    "source",
    "match",
    "jail",
    "book",
    "orders",
    "enforce",
    "lists",
    "offload",
    "store",
    "bus",
    "observe",
    "notify",
    "api",
    "metrics",
    "config",
    "import",
  ],
  demo: "all",
  cli: "all",
};

const folders = Object.keys(mayImport);

/**
 * The files that may read the clock (docs/decisions/0012-clocks-and-timers.md). All other code gets the time as an argument, so
 * tests set it and replay uses the time of the log.
 */
const readsTheClock = [
  "src/core/clock.ts",
  // What they read has times by the same clock: of files, of the kernel's sets, of HTTP answers.
  "src/source/file/{file-source,follower,folder-watch,present-end,read-loop}.ts",
  "src/source/{journal/journal-source,kmsg/kmsg-source,syslog/syslog-source}.ts",
  "src/enforce/{ipset,nft-set}/enforcer.ts",
  "src/lists/reading/{address-list,url-origin}.ts",
  "src/notify/webhook/post.ts",
  // A command runs once.
  "src/cli/commands/*.ts",
];

/** The files that may start a timer: for one wait, which ends with it. Deadlines of data belong to the daemon's one tick. */
const startsTimers = [
  "src/core/{sleep,run-program}.ts",
  "src/book/feed-reader.ts",
  // Files and sockets: the next look, the end of patience.
  "src/source/file/{follower,folder-watch,read-loop}.ts",
  "src/source/syslog/{tcp,udp}-listener.ts",
  "src/bus/zmq/peers.ts",
  "src/kernel/native/poll.ts",
  "src/lists/reading/file-origin.ts",
  "src/enforce/{lookout,connections/cutter}.ts",
  "src/enforce/proxy/paced.ts",
  "src/notify/{hook,webhook/post}.ts",
  // The process: its end, and the demo's plays.
  "src/daemon/serve.ts",
  "src/daemon/takeover/take-over.ts",
  "src/demo/{stage,guard,player,attempt}.ts",
];

/** The files with a periodic timer: the daemon's tick, systemd's watchdog. */
const ticks = ["src/daemon/{daemon,serve}.ts", "src/demo/beat.ts"];

/** Code that runs for each line, packet or ban: an object of options would be made each time. */
const hotPaths = [
  "src/core/{address-index,ranges}.ts",
  "src/jail/{jail,tally}.ts",
  "src/match/run/confirmer.ts",
  "src/match/run/dfa/walk.ts",
  "src/match/banned/banned-search.ts",
  "src/source/{line-splitter,kmsg/record-line,journal/export-format,nflog/ip-packet}.ts",
  "src/enforce/nftables/desired-elements.ts",
  "src/kernel/netlink/encoder.ts",
];

const NO_CLOCK = {
  object: "Date",
  property: "now",
  message: "Pass the time in; see readsTheClock in oxlint.config.js.",
};
const NO_TIMER = {
  name: "setTimeout",
  message: "Use core/sleep.ts or the tick; see startsTimers in oxlint.config.js.",
};
const NO_TICK = { name: "setInterval", message: "Use the daemon's tick; see ticks in oxlint.config.js." };

/** A file three folders down reaches the other stages with "../.."; nothing in src/ needs to lie deeper. */
const depths = [1, 2, 3];

/** @param {string} folder @param {readonly string[]} allowed */
function directionRules(folder, allowed) {
  const forbidden = folders.filter((other) => other !== folder && !allowed.includes(other));
  const may = allowed.length === 0 ? "nothing else in src" : `from ${allowed.join(", ")} only`;
  return depths.flatMap((depth) => {
    const direction = {
      // One exact climb for each depth: a subfolder may be called like a stage.
      regex: `^${String.raw`\.\./`.repeat(depth)}(${forbidden.join("|")})/`,
      message: `Imports point backwards along the flow: src/${folder} may import ${may}.`,
    };
    const folderOf = `src/${folder}/${"*/".repeat(depth - 1)}`;
    return [
      restrictImports([`${folderOf}*.ts`], direction, {
        regex: "/(src|dist|test|bench)/",
        message: "Import by the shortest relative path, from src only.",
      }),
      restrictImports([`${folderOf}*.test.ts`], direction, {
        // oxlint's regular expressions have no lookahead: the folders beside test/support are spelled out.
        regex: "/(src|dist|bench|test/(conformance|filters|flood|fuzz|lint|property|system))/",
        message: "Import by the shortest relative path, from src and test/support only.",
      }),
    ];
  });
}

/** @param {string[]} files @param {{ regex: string, message: string }[]} patterns */
function restrictImports(files, ...patterns) {
  return { files, rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export default {
  plugins: ["eslint", "typescript", "unicorn", "import", "oxc"],
  categories: { correctness: "error" },
  ignorePatterns: ["dist", "coverage", "docs", "/filters"],
  options: { reportUnusedDisableDirectives: "error" },
  rules: {
    // Size: a file that does not fit into a head is two files.
    "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
    // For src see below.
    "max-params": ["error", { max: 5 }],
    "max-depth": ["error", { max: 5 }],
    complexity: ["error", { max: 30 }],

    // A daemon speaks through its log. The files that may print are listed below.
    "no-console": "error",
    eqeqeq: "error",
    "no-var": "error",
    "prefer-const": "error",

    "import/no-cycle": "error",
    "import/no-default-export": "error",

    "typescript/no-explicit-any": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": [
      "error",
      // `default:` is how a parser says "any other number"; only a switch without one must name every case.
      { considerDefaultExhaustiveForUnions: true },
    ],
    "typescript/consistent-type-imports": "error",
    "typescript/only-throw-error": "error",
    "typescript/no-non-null-assertion": "error",

    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    "unicorn/prefer-node-protocol": "error",

    // Log text is hostile: looking for control characters in it is the ordinary case here, not a slip.
    "no-control-regex": "off",
    // A ring of a fixed size is made in one piece.
    "unicorn/no-new-array": "off",
  },
  overrides: [
    ...folders.flatMap((folder) => {
      const allowed = mayImport[folder] ?? [];
      return allowed === "all" ? [] : directionRules(folder, allowed);
    }),
    {
      files: ["src/**/*.ts"],
      rules: {
        "no-restricted-properties": ["error", NO_CLOCK],
        "no-restricted-globals": ["error", NO_TIMER, NO_TICK],
        "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
        "max-params": ["error", { max: 4 }],
        "max-depth": ["error", { max: 4 }],
        complexity: ["error", { max: 20 }],
      },
    },
    { files: readsTheClock, rules: { "no-restricted-properties": "off" } },
    { files: startsTimers, rules: { "no-restricted-globals": ["error", NO_TICK] } },
    { files: ticks, rules: { "no-restricted-globals": ["error", NO_TIMER] } },
    // Both: the watchdog's period, and the limit of the time for a stop.
    { files: ["src/daemon/serve.ts"], rules: { "no-restricted-globals": "off" } },
    { files: hotPaths, rules: { "max-params": ["error", { max: 5 }] } },
    {
      // setsockopt(2) has five arguments; the walk over the entries of a folder passes on its state.
      files: ["src/kernel/native/libc.ts", "src/source/file/find-files.ts"],
      rules: { "max-params": ["error", { max: 5 }] },
    },
    {
      // The fast reader of plain IPv4 lines of a list; one case for each nf_tables expression.
      files: ["src/lists/reading/parse-list.ts", "src/kernel/nftables/expressions.ts"],
      rules: { complexity: ["error", { max: 28 }] },
    },
    {
      // A loop over bytes within a loop over lines.
      files: ["src/match/prefilter/gram-table.ts"],
      rules: { "max-depth": ["error", { max: 5 }] },
    },
    {
      // Tables: an OpenAPI document, the nf_tables expressions, the options of a webhook.
      files: ["src/api/openapi.ts", "src/kernel/nftables/expressions.ts", "src/notify/webhook/kind.ts"],
      rules: { "max-lines-per-function": "off" },
    },
    {
      files: ["**/*.test.ts", "**/*.test-support.ts", "**/*.fixture.ts", "src/cli/stand-in-daemon.ts"],
      rules: {
        "no-restricted-properties": "off",
        "no-restricted-globals": "off",
        "max-lines-per-function": "off",
        "max-params": ["error", { max: 5 }],
      },
    },
    {
      // These folders walk over bytes. Under noUncheckedIndexedAccess, `bytes[i]!` behind a bounds check is the only spelling
      // that costs nothing at run time.
      files: ["src/{core,kernel,source,match,book,jail,enforce,lists,offload,bus}/**/*.ts"],
      rules: { "typescript/no-non-null-assertion": "off" },
    },
    {
      // One table, so that all bounds are in one place.
      files: ["src/core/limits.ts"],
      rules: { "max-lines": "off" },
    },
    {
      files: ["src/cli/**", "src/demo/**", "bench/**", "scripts/**", "test/**", "**/*.test.ts"],
      rules: { "no-console": "off" },
    },
    {
      files: ["test/**", "bench/**", "**/*.test.ts"],
      rules: { "typescript/no-non-null-assertion": "off" },
    },
    {
      // The tools want it so.
      files: ["*.config.ts", "*.config.js", "scripts/vitest-account.mjs"],
      rules: { "import/no-default-export": "off" },
    },
  ],
};
