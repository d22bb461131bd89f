import { expect, it } from "vitest";
import { parsePrefix } from "./prefix.ts";
import { wideNetworks } from "./wide-networks.ts";

it.each([
  [["0.0.0.0/0"], ["ignoreip covers every IPv4 address: none is ever banned"]],
  [["0.0.0.0/1", "128.0.0.0/1"], ["ignoreip covers every IPv4 address: none is ever banned"]],
  [
    ["128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2", "10.0.0.0/8"],
    ["ignoreip covers every IPv4 address: none is ever banned"],
  ],
  [["::/0", "192.0.2.0/24"], ["ignoreip covers every IPv6 address: none is ever banned"]],
  [["0.0.0.0/1"], ["ignoreip covers half of all IPv4 addresses or more: they are never banned"]],
  [["0.0.0.0/2", "10.0.0.0/8", "2000::/3"], []],
  [[], []],
])("of ignoreip %j it is said: %j", (texts, sentences) => {
  expect(
    wideNetworks(
      "ignoreip",
      texts.map((text) => parsePrefix(text)!),
    ),
  ).toEqual(sentences);
});
