/** A random id for idempotency keys. `crypto.randomUUID` exists on HTTPS and localhost only; dashboards also run on plain HTTP in a LAN. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
