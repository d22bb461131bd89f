import { setFlagsFromString } from "node:v8";

/**
 * Bounds the time of V8's regular expressions: after 1,000 backtracks V8 restarts with its linear engine, for every pattern that this
 * engine runs. Holds for regular expressions that are compiled after this module is loaded. The third flag only enables the flag `l`, by
 * which cost-class.ts asks whether the linear engine runs a pattern.
 */
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
setFlagsFromString("--regexp-backtracks-before-fallback=1000");
setFlagsFromString("--enable-experimental-regexp-engine");
