import { countWords } from "../../core/wording.ts";
import { file } from "../../source/file/kind.ts";
import { syslog } from "../../source/syslog/kind.ts";
import type { Check } from "../check.ts";
import { advice, type Finding, fine } from "../finding.ts";
import { findProgram } from "../processes.ts";
import { readRsyslog, type RsyslogConfig } from "../rsyslog-config.ts";
import { sourcesOf } from "../situation.ts";
import { SYSLOG_FILES } from "./syslog-files.ts";

/** rsyslog's own rate limits, which apply to files and to sockets, and what it does to messages. */
export const rsyslog: Check = {
  name: "rsyslog",
  title: "rsyslog",
  reports:
    "imuxsock, imjournal or imklog drops messages at a rate below 1,000 a second, repeated messages become one line, or long messages over TCP become several",
  look(situation) {
    const written = sourcesOf(situation, file)
      .flatMap(({ path }) => path)
      .find((path) => SYSLOG_FILES.has(path));
    const listens = sourcesOf(situation, syslog).length > 0;
    if (written === undefined && !listens) return [];
    if (findProgram(situation.processes, ["rsyslogd"]) === null) return [];
    const config = readRsyslog(situation.host);
    if (config === null) return [];
    const found = [
      ...INPUTS.flatMap((input) => limited(config, input, written ?? "Stoplog")),
      ...joined(config),
      ...splits(config),
    ];
    return found.length > 0 ? found : [fine("rsyslog passes all messages on")];
  },
};

interface Input {
  readonly module: string;
  /** The parameter of the new language, in lower case, and the directive of the old one. */
  readonly interval: readonly [parameter: string, directive: string];
  readonly burst: readonly [parameter: string, directive: string];
  /** The manual's defaults: seconds and messages. */
  readonly defaults: readonly [interval: number, burst: number];
  readonly cure: readonly string[];
}

const INPUTS: readonly Input[] = [
  {
    module: "imuxsock",
    interval: ["syssock.ratelimit.interval", "systemlogratelimitinterval"],
    burst: ["syssock.ratelimit.burst", "systemlogratelimitburst"],
    defaults: [0, 200],
    cure: [
      '# where rsyslog loads it: module(load="imuxsock" SysSock.RateLimit.Interval="0"), or $SystemLogRateLimitInterval 0',
    ],
  },
  {
    module: "imjournal",
    interval: ["ratelimit.interval", "imjournalratelimitinterval"],
    burst: ["ratelimit.burst", "imjournalratelimitburst"],
    defaults: [600, 20_000],
    cure: [
      '# where rsyslog loads it, in addition to its other parameters: module(load="imjournal" Ratelimit.Interval="0")',
    ],
  },
  {
    module: "imklog",
    interval: ["ratelimitinterval", "imklogratelimitinterval"],
    burst: ["ratelimitburst", "imklogratelimitburst"],
    defaults: [0, 10_000],
    cure: ['# where rsyslog loads it: module(load="imklog" RatelimitInterval="0")'],
  },
];

function limited({ modules, directives }: RsyslogConfig, input: Input, written: string): Finding[] {
  const parameters = modules.get(input.module);
  if (parameters === undefined) return [];
  const valueOf = ([parameter, directive]: readonly [string, string], standard: number): number => {
    const text = parameters.get(parameter) ?? directives.get(directive);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : standard;
  };
  const interval = valueOf(input.interval, input.defaults[0]);
  const burst = valueOf(input.burst, input.defaults[1]);
  if (interval === 0 || burst / interval >= ENOUGH) return [];
  return [
    advice({
      what: `rsyslog's ${input.module} drops messages beyond ${countWords(burst)} in ${countWords(interval)} s`,
      why: `In a flood the rest never reaches ${written}: new attackers are not banned in time`,
      cure: [...input.cure, "systemctl restart rsyslog"],
    }),
  ];
}

/** $RepeatedMsgReduction: one line for messages that are the same, written when another message comes. */
function joined({ directives }: RsyslogConfig): Finding[] {
  if (directives.get("repeatedmsgreduction")?.toLowerCase() !== "on") return [];
  return [
    advice({
      what: "rsyslog joins messages that repeat: $RepeatedMsgReduction is on",
      why: "The line 'message repeated 1000 times' comes only when another message does: an attacker with the same line again and again is not banned in time",
      cure: [
        "grep -rlis '^[[:space:]]*$RepeatedMsgReduction' /etc/rsyslog.conf /etc/rsyslog.d | xargs -r sed -i 's/^[[:space:]]*$RepeatedMsgReduction.*/$RepeatedMsgReduction off/I'",
        "systemctl restart rsyslog",
      ],
    }),
  ];
}

/** imtcp and imptcp take the rest of a message over maxMessageSize as another message (seen with 8.2302), unless the input says otherwise. */
function splits({ inputs, directives }: RsyslogConfig): Finding[] {
  const does = inputs.some(
    (input) =>
      /^imp?tcp$/i.test(input.get("type") ?? "") && input.get("discardtruncatedmsg")?.toLowerCase() !== "on",
  );
  if (!does && !directives.has("inputtcpserverrun")) return [];
  return [
    advice({
      what: "rsyslog splits long messages that it gets over TCP",
      why: "An attacker chooses where the rest of a long message begins: it can look like a line of another program, with any address",
      cure: [
        '# where rsyslog listens, in addition to its other parameters: input(type="imtcp" discardTruncatedMsg="on")',
        "systemctl restart rsyslog",
      ],
    }),
  ];
}

/** Messages a second. */
const ENOUGH = 1000;
