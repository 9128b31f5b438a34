/** Room for headers and the JSON around the rows. */
const HEADROOM_BYTES = 32 * 1024;
/** More would only fill memory: pages exist. */
const LARGEST_REPLY_BYTES = 4 * 1024 * 1024;

/** The broker refuses messages above its limit, so replies are cut to pages that fit. */
export class ReplySize {
  readonly bytes: number;

  constructor(maxPayload: number) {
    this.bytes = Math.min(maxPayload - HEADROOM_BYTES, LARGEST_REPLY_BYTES);
  }

  /** As many rows from the front as one reply holds. */
  firstThatFit<T>(rows: readonly T[]): T[] {
    let used = 0;
    const end = rows.findIndex((row) => (used += Buffer.byteLength(JSON.stringify(row)) + 1) > this.bytes);
    return rows.slice(0, end === -1 ? rows.length : end);
  }
}
