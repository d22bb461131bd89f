import { z } from "zod";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";
import { isLoopback, type ListenAddress, listenAddress } from "./listen-address.ts";

// The section `metrics`: the listener for Prometheus on this machine.

const metricsSchema = z
  .strictObject({
    listen: v.text("HOST:PORT").meta({
      description: "A loopback address and a port; IPv6 in brackets.",
      examples: ["127.0.0.1:9842", "[::1]:9842"],
    }),
  })
  .meta({ description: "A listener for Prometheus on this machine." });

export const metricsKey = metricsSchema.optional().meta({
  description: "A listener for Prometheus on this machine.",
  examples: [{ listen: "127.0.0.1:9842" }],
});

export const metricsChapter: Chapter = {
  title: "Metrics",
  text: "A listener that serves `GET /metrics` in Prometheus' text format to every program on this machine, without a token. The control socket and the API serve `GET /v1/metrics` with or without this section.",
  parts: [{ title: null, text: "", schema: metricsSchema }],
};

/** Null when the section is missing or has errors, which are reported. */
export function readMetrics(top: Section): ListenAddress | null {
  if (!top.has("metrics")) return null;
  const section = top.apart("metrics", "metrics");
  const { listen } = section.filled(metricsSchema);
  if (listen === undefined) return null;
  const place = listenAddress(listen);
  const fault = typeof place === "string" ? place : isLoopback(place.host) ? null : reachable(place.host);
  if (fault !== null) section.refuseValue(`listen: ${fault}`, "listen");
  return typeof place === "string" || fault !== null ? null : place;
}

function reachable(host: string): string {
  return `${host} is not a loopback address, and this listener has no token; other machines can use /v1/metrics of the api`;
}
