/** How services and log daemons write text of clients, from their source code and documentation. One character is one byte. */

/** nginx: '"', '\' and bytes below 32 or above 126 as \xXX (ngx_http_log_escape). */
export function byNginx(text: string): string {
  return eachByte(text, (char, byte) => {
    const isPlain = byte >= 32 && byte < 127 && char !== '"' && char !== "\\";
    return isPlain ? char : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** nginx with `escape=json`: control characters, '"' and '\'. */
export function byNginxJson(text: string): string {
  return eachByte(text, (char, byte) =>
    byte < 32 || char === '"' || char === "\\" ? JSON.stringify(char).slice(1, -1) : char,
  );
}

/** httpd's ap_escape_logitem. */
export function byHttpd(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
  };
  return eachByte(
    text,
    (char, byte) =>
      named[char] ?? (byte >= 32 && byte < 127 ? char : `\\x${byte.toString(16).padStart(2, "0")}`),
  );
}

/** Go's, PHP's and Ruby's JSON encoders. */
export function byJson(text: string): string {
  return JSON.stringify(text.replaceAll(/[^\0-\x7f]/g, "\ufffd"))
    .slice(1, -1)
    .replaceAll("\ufffd", "\\ufffd");
}

/** HAProxy: '"', '#', braces, bars and what is not printable as #XX. */
export function byHaproxy(text: string): string {
  return eachByte(text, (char, byte) => {
    const isPlain = byte >= 32 && byte < 127 && !'"#{|}'.includes(char);
    return isPlain ? char : `#${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** Dovecot's str_sanitize(name, 80): control characters and what is not UTF-8 as '?', and three dots at the cut. */
export function byDovecot(text: string): string {
  const chars = Buffer.from(text, "latin1")
    .toString("utf8")
    .replaceAll(/[\0-\x1f\ufffd]/g, "?");
  const bytes = Buffer.from(chars).toString("latin1");
  return bytes.length <= 80 ? bytes : `${bytes.slice(0, 77)}...`;
}

/** The request URI of Go's net/http: the path is encoded again; the query is as the client sent it, without control characters. */
export function byGoUri(query: string): string {
  return query.replaceAll(/[\0-\x20\x7f]/g, "+");
}

/** The value of an HTTP header: it has no line end and no NUL. */
export function inHeader(text: string): string {
  return text.replaceAll(/[\0\r\n]/g, " ");
}

/**
 * rsyslogd (seen with 8.2302): a message from a local program as a line of a file. It cuts at 8096 bytes, priority and time included, and writes
 * bytes below 32 as #ooo, within that size too.
 */
export function byRsyslogd(program: string, text: string): string {
  const head = "Nov 20 14:44:48 ";
  const size = 8096 - `<38>${head}${program}: `.length;
  const message = eachByte(text.slice(0, size), (char, byte) =>
    byte < 32 ? `#${byte.toString(8).padStart(3, "0")}` : char,
  );
  const written = message.length > size ? message.slice(0, size - 3) : message;
  return `${head}box ${program}: ${written}\n`;
}

function eachByte(text: string, write: (char: string, byte: number) => string): string {
  return Array.from(text, (char) => write(char, char.charCodeAt(0) & 255)).join("");
}
