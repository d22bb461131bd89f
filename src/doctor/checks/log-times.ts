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
 * Whether timestamps are in the time zone that the source assumes. The last line was written when the file last changed: an offset of a
 * multiple of 15 minutes is a time zone, a time ahead of this machine's clock is a wrong clock.
 */
export const logTimes: Check = {
  name: "log-times",
  title: "clocks and time zones of logs",
  reports: "the last line's time does not match the file's: another time zone, or a clock that is ahead",
  look(situation) {
    const { host } = situation;
    let agree = 0;
    const found: Finding[] = [];
    for (const { name, path, timezone } of sourcesOf(situation, file)) {
      // A jail with a `datepattern` does not use these timestamps.
      if (jailsReading(situation, name).some(({ filter }) => filter?.datepattern !== undefined)) continue;
      const files = [path].flat().flatMap((glob) => host.find(glob));
      for (const file of files.slice(0, MOST_FILES)) {
        const finding = judge(host, { source: name, file, zone: timezone ?? "local" });
        if (finding === "agrees") agree++;
        else if (finding !== null) found.push(finding);
      }
    }
    return found.length > 0 || agree === 0 ? found : [fine("Timestamps agree with the time of writing")];
  },
};

/** For each source. */
const MOST_FILES = 64;

interface Log {
  readonly source: string;
  readonly file: string;
  readonly zone: string;
}

/** Null when unknown. */
function judge(host: Host, log: Log): Finding | "agrees" | null {
  const written = host.stat(log.file)?.changedAt;
  const line = lastLine(host.readEnd(log.file) ?? "");
  const zone = parseTimeZone(log.zone);
  if (written === undefined || line === null || zone === null) return null;
  const { now } = host.facts;
  // A missing year is chosen so that the time is before this moment; a day of slack keeps time zones from changing the year.
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

/** Offsets of time zones are multiples of 15 minutes, at most 26 hours apart. A line is written within seconds. */
function isZone(off: Duration): boolean {
  const quarters = Math.round(off / QUARTER);
  return quarters !== 0 && Math.abs(off) <= 26 * HOUR && Math.abs(off - quarters * QUARTER) <= 5 * SECOND;
}

const QUARTER = 15 * MINUTE;

function otherZone({ source, file, zone }: Log, times: { off: Duration; east: Duration }): Finding {
  const isBehind = times.off < 0;
  const apart = durationWords(Math.round(Math.abs(times.off) / QUARTER) * QUARTER);
  const finding = {
    what: `Lines of ${file} are ${apart} ${isBehind ? "behind" : "ahead"}: source ${source} assumes the wrong time zone (${zone})`,
    why: isBehind
      ? "Its failures appear older than findtime and do not count: this log causes no bans"
      : "Its failures appear to be in the future and count as of now; old lines count as new",
    cure: [`# in the configuration, at source ${source}: timezone: ${zoneName(times.east)}`],
  };
  return isBehind ? trouble(finding) : advice(finding);
}

/** A value of `timezone`: an offset east of Greenwich. */
function zoneName(east: Duration): string {
  const minutes = Math.round(east / QUARTER) * 15;
  return minutes === 0 ? "UTC" : `"${fixedZone(minutes).name}"`;
}

function ahead({ source, file }: Log, by: Duration): Finding {
  return advice({
    what: `The last line of ${file} is ${durationWords(by)} ahead of this machine's clock`,
    why: `Failures of source ${source} count as of now instead of their own time`,
    cure: ["# compare the clock of the machine that writes the log with this one:", "date; timedatectl"],
  });
}
