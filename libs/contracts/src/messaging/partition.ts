/** Fixed for ever: replicas share partitions, and subjects of stored events contain the number. */
export const PARTITIONS = 64;

/** FNV-1a (32 bit) of the id, modulo 64. Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
export function partitionOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) {
    hash ^= id.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % PARTITIONS;
}
