import { describe, expect, it } from "vitest";
import { AUTH, good, jail, read } from "../../test/support/read-config-text.ts";

/** Line 5 of the jail, and its error. */
const WRONG_IN_JAIL: readonly (readonly [string, string])[] = [
  ["maxretry: 0", "maxretry must be 1 or more (stoplog.yaml:5:15)"],
  ["maxretry: 70000", "maxretry must be 65535 or less (stoplog.yaml:5:15)"],
  ["maxretry: five", 'maxretry must be a whole number, not "five" (stoplog.yaml:5:15)'],
  ["maxretry: 1.5", "maxretry must be a whole number, not 1.5 (stoplog.yaml:5:15)"],
  ["maxretry: 05", 'maxretry must be a whole number, not "05" (stoplog.yaml:5:15)'],
  ["maxretry:", "maxretry is empty (stoplog.yaml:5:5)"],
  ["maxretries: 5", "unknown key maxretries (did you mean maxretry?) (stoplog.yaml:5:5)"],
  ["colour: red", "unknown key colour (stoplog.yaml:5:5)"],
  ["enabled: yes", 'enabled must be true or false, not "yes" (stoplog.yaml:5:14)'],
  ["findtime: soon", 'findtime must be a duration such as 10m or 1d12h, not "soon" (stoplog.yaml:5:15)'],
  ["findtime: -1", "findtime cannot be permanent (stoplog.yaml:5:15)"],
  ["findtime: 0", "findtime must be 1s or more (stoplog.yaml:5:15)"],
  ["findtime: 2y", "findtime must be 1y or less (stoplog.yaml:5:15)"],
  ["findtime: [1h]", "findtime must be a duration such as 10m or 1d12h, not a list (stoplog.yaml:5:15)"],
  [
    "bantime: -2",
    "bantime must be a duration such as 10m, 1d12h or -1 (permanent), not -2 (stoplog.yaml:5:14)",
  ],
  [
    "bantime: .inf",
    "bantime must be a duration such as 10m, 1d12h or -1 (permanent), not Infinity (stoplog.yaml:5:14)",
  ],
  ["bantime: 500ms", "bantime must be 1s or more, or -1 (permanent) (stoplog.yaml:5:14)"],
  ["bantime: 101y", "bantime must be 100y or less (stoplog.yaml:5:14)"],
  ["target: slow", "target slow does not exist; there are default, throttle (stoplog.yaml:5:13)"],
  [
    "target: defualt",
    "target defualt does not exist (did you mean default?); there are default, throttle (stoplog.yaml:5:13)",
  ],
  [
    "ignoreip: example",
    'ignoreip must be an address, a network such as 192.0.2.0/24, a host name, file:/PATH or self, not "example" (stoplog.yaml:5:15)',
  ],
  [
    "ignoreip: ['::1', 192.0.2.256]",
    'ignoreip 2 must be an address, a network such as 192.0.2.0/24, a host name, file:/PATH or self, not "192.0.2.256" (stoplog.yaml:5:23)',
  ],
  [
    "ignoreip: [192.0.2.0/33]",
    'ignoreip 1 must be an address, a network such as 192.0.2.0/24, a host name, file:/PATH or self, not "192.0.2.0/33" (stoplog.yaml:5:16)',
  ],
  ["ignoreip: { a: 1 }", "ignoreip must be a list of addresses, not a map (stoplog.yaml:5:15)"],
  ["ipv4_prefix: 7", "ipv4_prefix must be 8 or more (stoplog.yaml:5:18)"],
  ["ipv6_prefix: 129", "ipv6_prefix must be 128 or less (stoplog.yaml:5:18)"],
  ["usedns: maybe", 'usedns must be true, false, yes, warn, no or raw, not "maybe" (stoplog.yaml:5:13)'],
  ["on_good: forgive", 'on_good must be forget or unban, not "forgive" (stoplog.yaml:5:14)'],
  [
    "counting: scaled\n    count_with: all",
    "count_with shares an exact count, and counting is scaled (stoplog.yaml:6:5)",
  ],
  ["addresses: 0", "addresses must be 1 or more (stoplog.yaml:5:16)"],
  [
    "filter: ssh",
    "filter ssh does not exist (did you mean sshd?); there are nginx, sshd (stoplog.yaml:5:13)",
  ],
  ["filter: secret", "filter secret cannot be read: permission denied (stoplog.yaml:5:13)"],
  [
    "filter: 5",
    "filter must be a filter's name, the path of its file or the filter itself, not 5 (stoplog.yaml:5:13)",
  ],
  ["filter: {}", "failregex is empty: the filter would never match (stoplog.yaml:5:13)"],
  [
    "filter: { failregx: [x] }",
    "unknown key failregx in filter (did you mean failregex?) (stoplog.yaml:5:15)",
  ],
  [
    "filter: { failregex: 3 }",
    "filter.failregex must be a regular expression or a list of them, not 3 (stoplog.yaml:5:26)",
  ],
  [
    "filter: { failregex: [a <HOST>, 3] }",
    "filter.failregex 2 must be a regular expression, not 3 (stoplog.yaml:5:37)",
  ],
  [
    "filter: { failregex: ['^<HOST>', '^<HOSTT>'] }",
    "failregex 2 has unknown tag <HOSTT> (did you mean <HOST>?) (stoplog.yaml:5:38)",
  ],
  [
    "filter: { failregex: ['no host'] }",
    "failregex 1 has no <HOST>: it does not say which address to ban (stoplog.yaml:5:27)",
  ],
  [
    "filter: { failregex: ['<HOST>'], datepattern: '%!' }",
    "datepattern has no date token such as %Y or Epoch (stoplog.yaml:5:51)",
  ],
  [
    "filter: { failregex: ['<HOST>'], define: { HOST x: y } }",
    "define: 'HOST x' is not a valid tag name: use letters, digits, - and _ (stoplog.yaml:5:48)",
  ],
  [
    "filter: { failregex: ['<HOST>'], define: [a] }",
    "filter.define must be a map of tags, not a list (stoplog.yaml:5:46)",
  ],
  ["failregex: '(<HOST>'", "failregex 1 has unterminated group (stoplog.yaml:5:16)"],
  [
    "goodregex: ['x <HOSTT>']",
    "goodregex 1 has unknown tag <HOSTT> (did you mean <HOST>?) (stoplog.yaml:5:17)",
  ],
  [
    "steps: [{ maxretry: 5, times: 2 }]",
    "steps define the 2nd ban after 5 failures, but not the first (stoplog.yaml:5:5)",
  ],
  ["steps: [{}, { bantime: 1d }]", "steps define the ban after 5 failures twice (stoplog.yaml:5:5)"],
  [
    "steps: [{ target: slwo }]",
    "target slwo does not exist; there are default, throttle (stoplog.yaml:5:23)",
  ],
  ["increment: 5", "increment must be true, false or a map of keys and values, not 5 (stoplog.yaml:5:16)"],
  [
    "increment: { formula: ban.Time / (ban.Count - 3) }",
    "increment.formula cannot be used: division by zero when ban.Count is 3 (stoplog.yaml:5:27)",
  ],
  [
    "increment: { formula: 'open(1)' }",
    "increment.formula cannot be used: 'open()' is not known; there are abs, float, int, round, min, max, pow, math.pow, math.exp, math.log, math.log2, math.log10, math.sqrt, math.floor, math.ceil, math.trunc (stoplog.yaml:5:27)",
  ],
];

describe("readConfig() says what is wrong with a jail", () => {
  it.each(WRONG_IN_JAIL)("%s: %s", (line, sentence) => {
    const { config, errors } = read(jail(line));
    expect(config).toBeNull();
    expect(errors).toEqual([`Cannot use jail sshd: ${sentence}`]);
  });

  it("names the line and column of a nested value", () => {
    const filler = "# a comment\n".repeat(9);
    const { errors } = read(`${filler}${jail("maxretry: 0")}`);
    expect(errors).toEqual(["Cannot use jail sshd: maxretry must be 1 or more (stoplog.yaml:14:15)"]);
  });

  it("requires sources, and lists them", () => {
    expect(read(`${AUTH}jails: { sshd: {} }`).errors).toEqual([
      "Cannot use jail sshd: sources is missing; there is auth (stoplog.yaml:2:10)",
    ]);
    expect(read("jails: { sshd: }").errors).toEqual([
      "Cannot use jail sshd: sources is missing; none exist (stoplog.yaml:1:10)",
    ]);
  });

  it("suggests the closest source, for each wrong name at its place", () => {
    const text = `${AUTH}jails: { sshd: { sources: [aut, auth, 3, nowhere] } }`;
    expect(read(text).errors).toEqual([
      "Cannot use jail sshd: source aut does not exist (did you mean auth?); there is auth (stoplog.yaml:2:28)",
      "Cannot use jail sshd: sources 3 must be the name of a source, not 3 (stoplog.yaml:2:39)",
      "Cannot use jail sshd: source nowhere does not exist; there is auth (stoplog.yaml:2:42)",
    ]);
  });

  it("refuses a jail when no filter has its name", () => {
    expect(read(`${AUTH}jails: { shsd: { sources: auth } }`).errors).toEqual([
      "Cannot use jail shsd: filter shsd does not exist; there are nginx, sshd (stoplog.yaml:2:10)",
    ]);
  });

  it("reports a library filter's errors once, at their place in its file", () => {
    const text = `${AUTH}jails: { a: { sources: auth, filter: broken }, b: { sources: auth, filter: broken } }`;
    expect(read(text).errors).toEqual([
      "Cannot use filter broken: failregex 2 has unknown tag <HOSTT> (did you mean <HOST>?) (filters/broken/filter.yaml:3:5)",
      "Cannot use filter broken: unknown key ignoregex (did you mean ignoreregex?) (filters/broken/filter.yaml:4:1)",
    ]);
  });

  it("reports YAML errors in a filter's file", () => {
    const { errors } = read(jail("filter: torn"));
    expect(errors[0]).toMatch(
      /^Cannot use filter torn: flow sequence .* \(filters\/torn\/filter\.yaml:\d+:\d+\)$/,
    );
  });

  it("refuses names with other characters", () => {
    const { errors } = read(`${AUTH}jails: { "a b": { sources: auth, filter: sshd } }`);
    expect(errors).toEqual([
      "Cannot use jail a b: the name must consist of letters, digits, dots, - and _, at most 64, and begin with a letter or digit (stoplog.yaml:2:10)",
    ]);
  });
});

describe("the IPv6 networks of a jail", () => {
  const singles = (target: string, ...keys: string[]): boolean =>
    good(`${jail("target: t", ...keys)}targets: { t: ${target} }\n`).jails[0]?.steps[0]?.singleV6 === true;

  it("are banned as networks where the target holds them, else as single addresses", () => {
    expect(singles("{ enforcer: nftables }")).toBe(false);
    expect(singles("{ enforcer: ipset }")).toBe(false);
    expect(singles("{ enforcer: proxy, format: nginx-geo, path: /run/x }")).toBe(false);
    for (const target of [
      "{ enforcer: recent, list: BLOCKER }",
      "{ enforcer: ipset, sets: [a, b] }",
      "{ enforcer: nftables, sets: [inet filter a] }",
      "{ enforcer: proxy, format: apache-map, path: /run/x }",
      "{ enforcer: command, ban: [/bin/true], unban: [/bin/true] }",
    ])
      expect([target, singles(target)]).toEqual([target, true]);
  });

  it("are what is written, whatever the target holds", () => {
    expect(singles("{ enforcer: recent, list: BLOCKER }", "ipv6_prefix: 64")).toBe(false);
  });
});
