import { describe, expect, it } from "vitest";
import { good, read } from "../../test/support/read-config-text.ts";

describe("metrics in a configuration", () => {
  it("are a listener on loopback, or none", () => {
    expect(good("").metrics).toBe(null);
    expect(good('metrics: { listen: "127.0.0.1:9842" }').metrics).toEqual({ host: "127.0.0.1", port: 9842 });
    expect(good('metrics: { listen: "[::1]:9842" }').metrics).toEqual({ host: "::1", port: 9842 });
    expect(good("metrics: { listen: 'localhost:9842' }").metrics).toEqual({ host: "localhost", port: 9842 });
  });

  it.each([
    ["0.0.0.0:9842", "0.0.0.0"],
    ["[::]:9842", "::"],
    ["192.0.2.1:9842", "192.0.2.1"],
  ])("are refused on %s, with the place", (listen, host) => {
    expect(read(`\nmetrics:\n  listen: "${listen}"\n`).errors).toEqual([
      `Cannot use metrics: listen: ${host} is not a loopback address, and this listener has no token; other machines can use /v1/metrics of the api (stoplog.yaml:3:11)`,
    ]);
  });

  it.each([
    ["metrics: { listen: 9842 }", "listen must be HOST:PORT, not 9842"],
    [
      'metrics: { listen: "127.0.0.1" }',
      "127.0.0.1 is not an address and port such as 127.0.0.1:8443 or [::1]:8443",
    ],
    ['metrics: { listen: "127.0.0.1:99999" }', "99999 is not a port"],
    ["metrics: {}", "listen is missing"],
  ])("are refused as %s", (text, fact) => {
    const { config, errors } = read(text);
    expect([config, errors.length, errors[0]]).toEqual([null, 1, expect.stringContaining(fact)]);
  });
});
