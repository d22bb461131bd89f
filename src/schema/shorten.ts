/** Text from a file as an error message shows it: bounded, without control characters. */
export function shorten(text: string): string {
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "?");
  return visible.length > 60 ? `${visible.slice(0, 57)}...` : visible;
}
