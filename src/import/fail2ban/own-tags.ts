import { LONGEST_VALUE, ValueError } from "./interpolate.ts";

/**
 * Replaces `<name>` by its value, repeatedly, so that composed names work (`<mode-<kind>>`). Unknown names stay. Throws a ValueError for
 * circular names.
 */
export function fillTags(text: string, name: string, find: (name: string) => string | null): string {
  const times = new Map<string, number>();
  let value = text;
  let steps = 0;
  for (let changed = true; changed;) {
    changed = false;
    for (let at = 0; ;) {
      TAG.lastIndex = at;
      const tag = TAG.exec(value);
      if (tag === null) break;
      const inner = tag[1] ?? "";
      const found = find(inner);
      if (found === null) {
        at = tag.index + tag[0].length;
        continue;
      }
      const count = (times.get(inner) ?? 0) + 1;
      if (inner === name || count > MOST || ++steps > MOST_STEPS)
        throw new ValueError(`<${inner}> refers to itself`);
      times.set(inner, count);
      value = value.replaceAll(tag[0], () => found);
      if (value.length > LONGEST_VALUE) throw new ValueError("too long after expansion");
      changed = true;
      at = tag.index;
    }
  }
  return value;
}

const TAG = /<([^ <>]+)>/g;
/** Replacements of one name; fail2ban's own bound. */
const MOST = 25;
const MOST_STEPS = 2000;
