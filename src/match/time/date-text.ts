import type { DateFields } from "./civil-time.ts";

/**
 * Reads parts of dates at a place in a line. A method that finds its part moves `at` behind it; otherwise it returns false, and the other
 * fields are undefined. One reader is reused for every line.
 */
export class DateText {
  text = "";
  at = 0;
  /** The number read last. */
  value = 0;

  set(text: string, at: number): void {
    this.text = text;
    this.at = at;
  }

  code(ahead = 0): number {
    return this.text.charCodeAt(this.at + ahead);
  }

  isDigit(ahead = 0): boolean {
    const code = this.code(ahead);
    return code >= 48 && code <= 57;
  }

  char(code: number): boolean {
    if (this.code() !== code) return false;
    this.at++;
    return true;
  }

  /** A number of `least` to `most` digits; false when more digits follow. */
  number(least: number, most: number): boolean {
    const text = this.text;
    const from = this.at;
    let at = from;
    let value = 0;
    for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at)) {
      if (at - from === most) return false;
      value = value * 10 + code - 48;
    }
    this.at = at;
    this.value = value;
    return at - from >= least;
  }

  /** Exactly `count` digits; more may follow. */
  digits(count: number): boolean {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const code = this.code(i);
      if (!(code >= 48 && code <= 57)) return false;
      value = value * 10 + code - 48;
    }
    this.at += count;
    this.value = value;
    return true;
  }

  spaces(): boolean {
    const from = this.at;
    while (this.code() === SPACE) this.at++;
    return this.at > from;
  }

  /** The number of a month by its three-letter English name, or 0. */
  month(): number {
    const key = letters(this.code(), this.code(1), this.code(2));
    for (let i = 0; i < 12; i++) {
      if (MONTHS[i] === key) {
        this.at += 3;
        return i + 1;
      }
    }
    return 0;
  }

  /** A three-letter English weekday, an optional comma, and spaces. */
  weekday(): boolean {
    if (!WEEKDAYS.includes(letters(this.code(), this.code(1), this.code(2)))) return false;
    const length = this.code(3) === COMMA ? 4 : 3;
    if (this.code(length) !== SPACE) return false;
    this.at += length;
    return this.spaces();
  }

  /** `14:44:48` and an optional fraction. The hour may have one digit. */
  timeOfDay(fields: DateFields): boolean {
    if (!this.number(1, 2)) return false;
    fields.hour = this.value;
    if (!this.char(COLON) || !this.digits(2)) return false;
    fields.minute = this.value;
    if (!this.char(COLON) || !this.digits(2)) return false;
    fields.second = this.value;
    return this.fraction(fields);
  }

  /** An optional `.123456` or `,123`, in milliseconds; false when a digit follows directly. */
  fraction(fields: DateFields): boolean {
    fields.millisecond = 0;
    const code = this.code();
    if (code >= 48 && code <= 57) return false;
    if ((code !== DOT && code !== COMMA) || !this.isDigit(1)) return true;
    this.at++;
    let scale = 100;
    for (; this.isDigit(); this.at++) {
      fields.millisecond += (this.code() - 48) * scale;
      scale = scale > 1 ? scale / 10 : 0;
    }
    return true;
  }

  /** An optional `Z`, `+02:00`, `-0500`, `+02`, `UTC` or `GMT`, with or without a space before it. Ignores other names. */
  zone(fields: DateFields): void {
    fields.offset = null;
    const from = this.at;
    if (this.code() === SPACE) this.at++;
    const code = this.code();
    if (code === PLUS || code === MINUS) {
      this.at++;
      if (this.digits(2)) {
        const hours = this.value;
        this.char(COLON);
        const minutes = this.digits(2) ? this.value : 0;
        if (hours <= 18 && minutes < 60 && !this.isDigit()) {
          fields.offset = (code === MINUS ? -1 : 1) * (hours * 60 + minutes);
          return;
        }
      }
    } else if (code === LETTER_Z && !this.isLetter(1)) {
      this.at++;
      fields.offset = 0;
      return;
    } else {
      const key = letters(code, this.code(1), this.code(2));
      if ((key === UTC || key === GMT) && !this.isLetter(3)) {
        this.at += 3;
        fields.offset = 0;
        return;
      }
    }
    this.at = from;
  }

  isLetter(ahead: number): boolean {
    const code = this.code(ahead) | 32;
    return code >= 97 && code <= 122;
  }
}

const SPACE = 32;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const COLON = 58;
const LETTER_Z = 90;

/** Three letters as one number, without regard to case. */
function letters(a: number, b: number, c: number): number {
  return ((a | 32) << 16) | ((b | 32) << 8) | (c | 32);
}

function keyOf(name: string): number {
  return letters(name.charCodeAt(0), name.charCodeAt(1), name.charCodeAt(2));
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"].map(
  keyOf,
);
const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(keyOf);
const UTC = keyOf("utc");
const GMT = keyOf("gmt");
