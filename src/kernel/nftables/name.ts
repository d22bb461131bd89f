import { StoplogError } from "../../core/errors.ts";

/** Throws a StoplogError for a name that nft could not print. `of` is what is named, such as "a table". */
export function checkName(name: string, of: string): void {
  if (/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name)) return;
  throw new StoplogError(
    `Cannot use ${JSON.stringify(name)} as the name of ${of}: it must begin with a letter and have at most 64 letters, digits, '_', '.' or '-'`,
  );
}
