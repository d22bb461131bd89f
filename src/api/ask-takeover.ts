import { request } from "node:http";
import { cannot, StoplogError } from "../core/errors.ts";

/**
 * Asks the daemon at a control socket to hand over. Resolves to false when none listens there, to true when it accepted. Rejects with its sentence when it
 * refuses. It may close the connection before its answer has arrived: it is stopping.
 */
export function askTakeover(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method: "POST", path: "/v1/takeover", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", () => resolve(true));
      response.on("end", () => {
        if (response.statusCode === 200) return resolve(true);
        reject(
          new StoplogError(sentenceIn(text) ?? "Cannot take over: the daemon does not answer as expected"),
        );
      });
    });
    asking.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(false);
      else if (error.code === "ECONNRESET") resolve(true);
      else reject(cannot("take over", error));
    });
    asking.end();
  });
}

function sentenceIn(text: string): string | null {
  if (text.includes("Not found")) return "Cannot take over: the running daemon is too old (restart it)";
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown };
    return typeof error === "string" ? error : null;
  } catch {
    return null;
  }
}
