/**
 * Dates in the shapes that logs write, in strptime's tokens: `{DATE}` within a datepattern is one of them. The first that matches
 * counts, so a longer shape comes before its beginning. Numbers of seconds since 1970 are not among them: any ten digits would be one.
 */
export const ANY_DATE: readonly string[] = [
  String.raw`%Y[-/.]%m[-/.]%d(?:[Tt]| {1,2})%H:%M:%S(?:[.,]%f)?(?: ?%z)?`,
  String.raw`%b %d, %Y %I:%M:%S %p`,
  String.raw`%b %d(?:,? %Y)? %H:%M:%S(?:[.,]%f)?(?: %Y)?`,
  String.raw`%d[-/ ]%b[-/ ]%Y[ :]%H:%M:%S(?:[.,]%f)?(?: ?%z)?`,
  String.raw`%d[-/]%m[-/](?:%Y|%y) %H:%M:%S(?:[.,]%f)?`,
  String.raw`%m/%d/(?:%Y:|%y@)%H:%M:%S`,
  String.raw`%Y%m%d(?:[Tt]| {1,2})%H%M%S(?:[.,]%f)?(?: ?%z)?`,
  String.raw`%y%m%d {1,2}%H:%M:%S`,
  String.raw`%b-%d-%y %H:%M:%S`,
];
