/** `name[option=value, other="value"][more='value']`. */
export interface Call {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
}

/** Splits a value into calls, separated by white space. */
export function splitCalls(text: string): readonly string[] {
  const calls: string[] = [];
  const whole = /\S/g;
  for (let at = 0; ;) {
    whole.lastIndex = at;
    const start = whole.exec(text)?.index;
    if (start === undefined) return calls;
    let end = afterWord(text, start);
    for (let open = bracketAfter(text, end); open >= 0; open = bracketAfter(text, end))
      end = afterBracket(text, open);
    calls.push(text.slice(start, end).trim());
    at = end;
  }
}

/** Null when the text is not a call. */
export function parseCall(text: string): Call | null {
  const open = text.indexOf("[");
  const name = (open < 0 ? text : text.slice(0, open)).trim();
  if (name === "") return null;
  const options = new Map<string, string>();
  if (open < 0) return { name, options };
  if (!text.trimEnd().endsWith("]")) return null;
  const inner = text.trimEnd().slice(open + 1, -1);
  for (let at = 0; at < inner.length;) {
    OPTION.lastIndex = at;
    const found = OPTION.exec(inner);
    if (found === null) return /^\s*,?\s*$/.test(inner.slice(at)) ? { name, options } : null;
    const [whole, key = "", double, single, bare = ""] = found;
    options.set(key, (double ?? single ?? bare).trim());
    at += whole.length;
  }
  return { name, options };
}

const OPTION = /\s*([\w.-]+)=(?:"([^"]*)"|'([^']*)'|([^,\]]*))\s*(?:,|\]\s*\[|$)/y;

function afterWord(text: string, from: number): number {
  const end = text.slice(from).search(/[\s[]/);
  return end < 0 ? text.length : from + end;
}

/** The place of the next bracket if only white space is before it; else -1. */
function bracketAfter(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text.charAt(at))) at++;
  return text.charAt(at) === "[" ? at : -1;
}

/** The place behind the closing bracket; ignores brackets in quotes. */
function afterBracket(text: string, open: number): number {
  let quote = "";
  for (let i = open + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = text.includes(char, i + 1) ? char : "";
    else if (char === "]") return i + 1;
  }
  return text.length;
}
