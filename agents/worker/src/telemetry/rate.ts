/** Growth of a counter per second; 0 without a time span, and when the counter began again. */
export function rate(before: number, now: number, seconds: number): number {
  return seconds <= 0 || now < before ? 0 : (now - before) / seconds;
}
