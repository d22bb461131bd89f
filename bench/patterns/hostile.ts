/** Patterns of users that take exponential time in a backtracking engine, and lines that they match. */
export const HOSTILE: readonly {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly samples: readonly string[];
}[] = [
  {
    name: "nested repeats",
    patterns: [String.raw`^app: (a+)+ from <HOST>$`],
    samples: ["app: aaaa from 192.0.2.1"],
  },
  {
    name: "repeated dot-star",
    patterns: [String.raw`^app: (.*)*, refused from <HOST>$`],
    samples: ["app: x, refused from 192.0.2.1"],
  },
  {
    name: "five greedy gaps",
    patterns: [String.raw`app.*login.*user.*denied.*code.*from <HOST> end$`],
    samples: ["app login user denied code from 192.0.2.1 end"],
  },
  {
    name: "words and blanks",
    patterns: [String.raw`^app: (\w+\s?)*: refused <HOST>$`],
    samples: ["app: one two three: refused 192.0.2.1"],
  },
  {
    name: "three lazy gaps",
    patterns: [String.raw`kernel:.*?SYNFLOOD.*?SRC=<HOST> DST.*?SYN URGP`],
    samples: ["kernel: SYNFLOOD SRC=192.0.2.1 DST=192.0.2.9 SYN URGP=0"],
  },
];
