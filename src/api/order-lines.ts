import { StoplogError } from "../core/errors.ts";

/** The orders in a body, a line of JSON each: it holds one, a list of them, or one a line. */
export function orderLinesOf(body: string): readonly string[] {
  if (!body.trimStart().startsWith("[")) return body.split("\n").filter((line) => line.trim() !== "");
  let list: unknown;
  try {
    list = JSON.parse(body);
  } catch {
    throw new StoplogError("Cannot read the request: it is no JSON");
  }
  return (list as unknown[]).map((item) => JSON.stringify(item));
}
