/** Patterns as users write them: lookaround, large counts, nested repeats, many gaps. Written for this test. */
export const OUTLANDISH: readonly {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly samples: readonly string[];
}[] = [
  {
    name: "lookahead at the front",
    patterns: [String.raw`^(?=.*\bdenied\b)(?!.*\b(?:internal|health)\b).* client <HOST> .*(?:\w+ ?)*$`],
    samples: ["access denied for client 192.0.2.1 by rule nine", "denied internal client 192.0.2.1 x"],
  },
  {
    name: "tempered dot",
    patterns: [String.raw`^app: (?:(?!from ).)*from <F-USER>(?:(?! at ).)*</F-USER> at <HOST>$`],
    samples: ["app: login from alice at 192.0.2.1"],
  },
  {
    name: "lookahead within repeats",
    patterns: [String.raw`^app: (?:(?=(\w+))\w+[ ,]*)+ failed from <HOST>$`],
    samples: ["app: one, two three failed from 192.0.2.1"],
  },
  {
    name: "lookahead with a group over the rest",
    patterns: [String.raw`^app: (?:(?=(?P<user>.*) from)\w ?)+.*from <HOST>$`],
    samples: ["app: a b c d from 192.0.2.1"],
  },
  {
    name: "one byte of lookbehind",
    patterns: [String.raw`(?<![\w.])user=(?P<user>(?:[^,]*,?)*)(?<=,) rhost=<HOST>(?:\s.*)*$`],
    samples: ["auth user=bob, rhost=192.0.2.1 x", "auth user=a,b,c, rhost=192.0.2.1"],
  },
  {
    name: "lookbehind of several bytes",
    patterns: [String.raw`^app: (\w+ ?)+(?<!ok )(?:from|by) <HOST>$`],
    samples: ["app: login failed from 192.0.2.1", "app: login ok from 192.0.2.1"],
  },
  {
    name: "large counts",
    patterns: [String.raw`^app: [^:]{1,255}: (?:[a-z]{1,20} ){1,30}from <HOST>(?::\d{1,5})?$`],
    samples: ["app: mail: some words here from 192.0.2.1:99"],
  },
  {
    name: "counts of counts",
    patterns: [String.raw`^app: (?:[0-9a-f]{1,200}:){1,200} <HOST>$`],
    samples: ["app: 12ab:34cd:56: 192.0.2.1"],
  },
  {
    name: "a window of bits",
    patterns: [
      String.raw`app: .*a[^!]{14}b[^!]{9}a.* from <HOST>$`,
      String.raw`(?!x)app: .*a[^!]{20}b.*c.* from <HOST>$`,
    ],
    samples: ["app: abaabbabaabababbaabbababaab from 192.0.2.1"],
  },
  {
    name: "alternatives that share their beginnings",
    patterns: [
      String.raw`^(?:\S+ )*(?:error|err|e|er)*: (?:a|ab|abc|b|bc|c)*(?:user (?:.*))? from <HOST>(?: .*)?$`,
    ],
    samples: ["x y error: abcabc from 192.0.2.1 port 3", "err: user bob from 192.0.2.1"],
  },
  {
    name: "optional everything",
    patterns: [
      String.raw`(?:\[?\w*\]?:?\s*)*(?:failed|failure)?(?:\s*\w*)*\s+from\s+<HOST>\s*(?:\S*\s*)*done$`,
    ],
    samples: ["[a]: b: failed login from 192.0.2.1 and so on done"],
  },
  {
    name: "lazy gaps in quotes",
    patterns: [
      String.raw`^\S+ .*?"(?:[^"\\]|\\.)*?".*?"(?:[^"\\]|\\.)*".*?client: <HOST>.*?,.*?server: .*?$`,
    ],
    samples: [String.raw`e 2026 "a\"b" x "c" client: 192.0.2.1, server: _, request: "GET / HTTP/1.1"`],
  },
  {
    name: "sixty patterns for one line",
    patterns: Array.from(
      { length: 60 },
      (_, i) => String.raw`^(?:\S+ )*app\[\d+\]: .*(?:x${i}|denied) .*user.* from <HOST>.*(?:\w+ ?)*\.$`,
    ),
    samples: ["Nov 20 box app[1]: access denied for user bob from 192.0.2.1 today."],
  },
];
