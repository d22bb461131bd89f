/** Bound on `maxlines`. Patterns run on all these lines after each line near one of their literals. */
export const MOST_LINES = 50;
