import { LIMITS } from "../core/limits.ts";

/** The longest text that is parsed, in characters. Without the parser, which takes 10 MB: every command reads texts. */
export const LONGEST_TEXT = LIMITS.configLength.value;

export const TOO_LONG = `larger than ${LONGEST_TEXT >> 20} MiB`;
