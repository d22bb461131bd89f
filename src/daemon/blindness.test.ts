import { describe, expect, it } from "vitest";
import { HOUR, MINUTE, SECOND } from "../core/time.ts";
import { Blindness } from "./blindness.ts";

const loss = (lines: number) => ({
  writer: "rsyslog",
  lines,
  isTotal: false,
  of: "process 42",
  cure: "set it to 0",
});

describe("Blindness", () => {
  it("reports losses once a minute, with the cure", () => {
    const blindness = new Blindness();
    expect(blindness.news("auth", 0)).toBeNull();
    blindness.note(loss(1000), SECOND);
    blindness.note(loss(234), SECOND);
    expect(blindness.news("auth", 2 * SECOND)).toBe(
      "Source auth is blind: rsyslog dropped 1,234 messages (last of process 42); set it to 0",
    );
    blindness.note(loss(1), 3 * SECOND);
    expect(blindness.news("auth", 4 * SECOND)).toBeNull();
    expect(blindness.news("auth", 2 * SECOND + MINUTE)).toContain("dropped 1 message ");
    expect(blindness.news("auth", 9 * MINUTE)).toBeNull();
    expect(blindness.lines).toBe(1235);
  });

  it("reports losses without a number, and warns for an hour", () => {
    const blindness = new Blindness();
    expect(blindness.warning("auth", 0)).toBeNull();
    blindness.note({ ...loss(0), of: "" }, 0);
    const sentence = "Source auth is blind: rsyslog dropped messages; set it to 0";
    expect([
      blindness.news("auth", 0),
      blindness.warning("auth", HOUR),
      blindness.warning("auth", HOUR + 1),
    ]).toEqual([sentence, sentence, null]);
  });

  it("counts the growth of a total, and is silent while it stays the same", () => {
    const blindness = new Blindness();
    const total = (lines: number, of = "queue a") => ({ ...loss(lines), isTotal: true, of });
    blindness.note(total(100), 0);
    blindness.note(total(100), SECOND);
    blindness.note(total(130), SECOND);
    blindness.note(total(7, "queue b"), SECOND);
    expect(blindness.lines).toBe(137);
    expect(blindness.news("syslog", SECOND)).toContain("dropped 137 messages (last of queue b)");
    blindness.note(total(130), 2 * MINUTE);
    expect(blindness.news("syslog", 2 * MINUTE)).toBeNull();
    blindness.note(total(5), 3 * MINUTE); // the writer was restarted
    expect(blindness.lines).toBe(142);
  });
});
