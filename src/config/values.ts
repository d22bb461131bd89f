import { parseTimeZone } from "../match/time/time-zone.ts";
import { parseGlob } from "../source/file/glob.ts";
import { isCurveKey } from "../bus/zmq/curve-keys.ts";
import { parseEndpoint } from "../bus/zmq/endpoint.ts";
import { parseListenAddress } from "../source/syslog/listen-address.ts";
import { path, shown, text } from "../schema/values.ts";

export * from "../schema/values.ts";

/** A path in which wildcards may stand. */
export function globPath() {
  return path("an absolute path").superRefine((value, context) => {
    const glob = parseGlob(value);
    if (typeof glob === "string")
      context.addIssue({ code: "custom", message: `cannot be followed: ${glob}` });
  });
}

/** `unix:PATH`, `udp:HOST:PORT` or `tcp:HOST:PORT`. */
export function listenAddress() {
  return text("unix:/PATH, udp:HOST:PORT or tcp:HOST:PORT").superRefine((value, context) => {
    const parsed = parseListenAddress(value);
    if (typeof parsed === "string")
      context.addIssue({ code: "custom", message: `cannot be used: ${parsed}` });
  });
}

/** `tcp://HOST:PORT` or `ipc:///PATH`. */
export function busEndpoint(way: "bind" | "connect") {
  return text("tcp://HOST:PORT or ipc:///PATH").superRefine((value, context) => {
    const parsed = parseEndpoint(value, way);
    if (typeof parsed === "string")
      context.addIssue({ code: "custom", message: `cannot be used: ${parsed}, not ${shown(value)}` });
  });
}

/** What the first frame of a message over ØMQ says. */
export function busTopic() {
  return text("a topic").regex(/^[\x21-\x7e]{1,128}$/, {
    error: (issue) => `must be a topic of at most 128 letters, digits and signs, not ${shown(issue.input)}`,
  });
}

/** A public key of CURVE, or the path of its file. */
export function curveKey() {
  const what = "a key of 40 characters in Z85, or the absolute path of its file";
  return text(what).refine((value) => value.startsWith("/") || isCurveKey(value), {
    error: (issue) => `must be ${what}, not ${shown(issue.input)}`,
  });
}

export function journalMatch() {
  const what = "a field and its value such as _TRANSPORT=kernel, or + between alternatives";
  return text(what).regex(/^(?:[A-Z_][A-Z0-9_]*=|\+$)/, {
    error: (issue) => `must be ${what}, not ${shown(issue.input)}`,
  });
}

export function timeZone() {
  const what = "local, UTC, an offset such as +02:00 or a name such as Europe/Berlin";
  return text(what).refine((value) => parseTimeZone(value) !== null, {
    error: (issue) => `must be ${what}, not ${shown(issue.input)}`,
  });
}
