import { setFlagsFromString } from "node:v8";

/**
 * Makes V8's regular expressions bounded. After a thousand backtracks V8 starts over with its linear engine, for every
 * pattern which that engine can run; the flags hold for regular expressions compiled after this module was loaded. The
 * third flag only allows the flag `l`, by which a pattern is tested.
 */
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
setFlagsFromString("--regexp-backtracks-before-fallback=1000");
setFlagsFromString("--enable-experimental-regexp-engine");
