import type { Check } from "./check.ts";
import { clock } from "./checks/clock.ts";
import { configuration } from "./checks/configuration.ts";
import { connectionTracking } from "./checks/connection-tracking.ts";
import { containers } from "./checks/containers.ts";
import { daemon } from "./checks/daemon.ts";
import { datagramQueue } from "./checks/datagram-queue.ts";
import { fail2banRules } from "./checks/fail2ban-rules.ts";
import { ipv6 } from "./checks/ipv6.ts";
import { journald } from "./checks/journald.ts";
import { kernelLog } from "./checks/kernel-log.ts";
import { kernel } from "./checks/kernel.ts";
import { logOrder } from "./checks/log-order.ts";
import { logFiles } from "./checks/log-files.ts";
import { logTimes } from "./checks/log-times.ts";
import { memory } from "./checks/memory.ts";
import { node } from "./checks/node.ts";
import { openFiles } from "./checks/open-files.ts";
import { otherBanners } from "./checks/other-banners.ts";
import { programs } from "./checks/programs.ts";
import { proxied } from "./checks/proxied.ts";
import { recentLists } from "./checks/recent-lists.ts";
import { reversePath } from "./checks/reverse-path.ts";
import { rights } from "./checks/rights.ts";
import { rsyslog } from "./checks/rsyslog.ts";
import { sshd } from "./checks/sshd.ts";
import { stateDirectory } from "./checks/state-directory.ts";
import { synCookies } from "./checks/syn-cookies.ts";
import { takenPlaces } from "./checks/taken-places.ts";
import { targetFiles } from "./checks/target-files.ts";
import { unit } from "./checks/unit.ts";

/** Every check, in the order in which a log line meets what they check. */
export const CHECKS: readonly Check[] = [
  configuration,
  openFiles,
  daemon,
  rights,
  unit,
  programs,
  kernel,
  node,
  memory,
  stateDirectory,
  logFiles,
  logTimes,
  proxied,
  sshd,
  journald,
  rsyslog,
  kernelLog,
  logOrder,
  datagramQueue,
  takenPlaces,
  containers,
  ipv6,
  recentLists,
  targetFiles,
  connectionTracking,
  synCookies,
  reversePath,
  clock,
  otherBanners,
  fail2banRules,
];
