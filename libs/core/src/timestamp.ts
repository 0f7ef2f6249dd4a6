/**
 * Epoch milliseconds as an RFC 3339 timestamp in UTC with three decimals (24 characters), the
 * proto3 JSON form of google.protobuf.Timestamp. Texts of this form sort as the times do.
 */
export function toTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** An RFC 3339 timestamp as epoch milliseconds; NaN when it is none. */
export function fromTimestamp(timestamp: string): number {
  return Date.parse(timestamp);
}
