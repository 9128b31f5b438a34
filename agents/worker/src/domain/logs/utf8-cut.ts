/**
 * The largest end in [start, limit] at which `bytes` may be cut without cutting a UTF-8 character: `limit`, or up to three bytes
 * before it if a character begins there and is not whole. Invalid bytes count as characters of their own.
 */
export function characterBoundary(bytes: Buffer, start: number, limit: number): number {
  for (let lead = limit - 1; lead >= start && limit - lead <= 3; lead -= 1) {
    const byte = bytes[lead] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length =
      byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc0 && byte < 0xe0 ? 2 : 1;
    return lead + length > limit ? lead : limit;
  }
  return limit;
}
