import type { Reply } from "./reply.ts";

/** The status document's numbers in Prometheus' text format. The writer is loaded by the first request. */
export async function metricsReply(status: object | null): Promise<Reply> {
  const { METRICS_TYPE, metricsText } = await import("../metrics/text.ts");
  return { kind: "text", type: METRICS_TYPE, text: metricsText(status ?? {}) };
}
