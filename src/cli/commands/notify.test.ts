import { describe, expect, it } from "vitest";
import { StandInDaemon } from "../../../test/support/stand-in-daemon.ts";

const daemon = new StandInDaemon();

describe("stoplog notify", () => {
  it("asks for a test message", async () => {
    const asked = await daemon.serve(() => ({ body: { trouble: null } }));
    expect(await daemon.run(["notify", "team", "--test"])).toEqual({
      status: 0,
      out: "The test message has arrived\n",
      err: "",
    });
    expect(asked).toEqual([{ method: "POST", url: "/v1/notify", body: { name: "team" } }]);
  });

  it("exits with 1 and the reason when it does not arrive", async () => {
    await daemon.serve(() => ({ body: { trouble: "the server answers 404: \u001b[31mno" } }));
    expect(await daemon.run(["notify", "team", "--test"])).toMatchObject({
      status: 1,
      out: "Cannot notify team: the server answers 404: \\x1b[31mno\n",
    });
    expect(await daemon.run(["notify", "team", "--test", "--json"])).toMatchObject({
      status: 1,
      out: `${JSON.stringify({ trouble: "the server answers 404: \u001b[31mno" })}\n`,
    });
  });

  it("does nothing without --test", async () => {
    expect(await daemon.run(["notify", "team"])).toMatchObject({
      status: 2,
      err: "Cannot notify team: give --test\n",
    });
  });
});
