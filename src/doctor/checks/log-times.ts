import { DAY, type Duration, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { durationWords } from "../../core/wording.ts";
import { readTimestamp } from "../../match/time/read-timestamp.ts";
import { fixedZone, parseTimeZone } from "../../match/time/time-zone.ts";
import { file } from "../../source/file/kind.ts";
import type { Check } from "../check.ts";
import { advice, type Finding, fine, trouble } from "../finding.ts";
import type { Host } from "../host.ts";
import { jailsReading, sourcesOf } from "../situation.ts";

/**
 * Whether the times in a log mean what its source takes them for: a log's last line was written when the file last changed. Off
 * by quarters of an hour, it is a zone; ahead of this machine's clock, a clock.
 */
export const logTimes: Check = {
  name: "log-times",
  looksAt: "clocks and time zones of logs",
  find(situation) {
    const { host } = situation;
    let agree = 0;
    const found: Finding[] = [];
    for (const { name, path, timezone } of sourcesOf(situation, file)) {
      // Their jails read times by a pattern of their own.
      if (jailsReading(situation, name).some(({ filter }) => filter?.datepattern !== undefined)) continue;
      const files = [path].flat().flatMap((glob) => host.find(glob));
      for (const file of files.slice(0, MOST_FILES)) {
        const finding = judge(host, { source: name, file, zone: timezone ?? "local" });
        if (finding === "agrees") agree++;
        else if (finding !== null) found.push(finding);
      }
    }
    return found.length > 0 || agree === 0 ? found : [fine("Lines bear the time at which they were written")];
  },
};

/** Of one source. */
const MOST_FILES = 64;

interface Log {
  readonly source: string;
  readonly file: string;
  readonly zone: string;
}

/** Null when it cannot be told. */
function judge(host: Host, log: Log): Finding | "agrees" | null {
  const written = host.stat(log.file)?.changedAt;
  const line = lastLine(host.readEnd(log.file) ?? "");
  const zone = parseTimeZone(log.zone);
  if (written === undefined || line === null || zone === null) return null;
  const { now } = host.facts;
  // Years that are not written are chosen to lie before this moment; half a day more, and no zone moves a line into another year.
  const read = readTimestamp(line, written + DAY, zone);
  if (read === null) return null;
  const off = read - written;
  if (Math.abs(off) < MINUTE) return "agrees";
  const asUtc = readTimestamp(line, written + DAY, fixedZone(0));
  if (asUtc === null || !isZone(off) || asUtc === readTimestamp(line, written + DAY, fixedZone(60))) {
    return read > now + MINUTE ? ahead(log, read - now) : null;
  }
  return otherZone(log, { off, east: asUtc - written });
}

function lastLine(text: string): string | null {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? (lines.at(-2) ?? null) : (lines.at(-1) ?? null);
}

/** Every zone in use lies a whole number of quarters of an hour from UTC, and no two 26 hours apart. A line is written within some seconds. */
function isZone(off: Duration): boolean {
  const quarters = Math.round(off / QUARTER);
  return quarters !== 0 && Math.abs(off) <= 26 * HOUR && Math.abs(off - quarters * QUARTER) <= 5 * SECOND;
}

const QUARTER = 15 * MINUTE;

function otherZone({ source, file, zone }: Log, times: { off: Duration; east: Duration }): Finding {
  const isBehind = times.off < 0;
  const apart = durationWords(Math.round(Math.abs(times.off) / QUARTER) * QUARTER);
  const finding = {
    what: `Lines of ${file} are written in another time zone than source ${source} takes them for (${zone}): ${apart} ${isBehind ? "behind" : "ahead"}`,
    why: isBehind
      ? "Its failures seem to be older than findtime, so they do not count: nobody is banned by this log"
      : "Its failures seem to lie in the future and count as of now; what is read late counts as if it had just happened",
    cure: [`# in the configuration, at source ${source}: timezone: ${zoneName(times.east)}`],
  };
  return isBehind ? trouble(finding) : advice(finding);
}

/** What `timezone` takes: an offset east of Greenwich. */
function zoneName(east: Duration): string {
  const minutes = Math.round(east / QUARTER) * 15;
  return minutes === 0 ? "UTC" : `"${fixedZone(minutes).name}"`;
}

function ahead({ source, file }: Log, by: Duration): Finding {
  return advice({
    what: `The last line of ${file} is ${durationWords(by)} ahead of this machine's clock`,
    why: `Failures of source ${source} count as of now instead of as of when they happened`,
    cure: ["# compare the clocks of whoever writes the log and of this machine:", "date; timedatectl"],
  });
}
