import { StoplogError } from "../core/errors.ts";

/** The orders in a body, each as a line of JSON. A body holds one order, an array of orders, or one order a line. */
export function orderLinesOf(body: string): readonly string[] {
  if (!body.trimStart().startsWith("[")) return body.split("\n").filter((line) => line.trim() !== "");
  let list: unknown;
  try {
    list = JSON.parse(body);
  } catch {
    throw new StoplogError("Cannot read the request: it is not JSON");
  }
  return (list as unknown[]).map((item) => JSON.stringify(item));
}
