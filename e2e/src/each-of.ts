/** Does `work` for 0 to count - 1, `atOnce` at a time; answers in order. The first failure ends it. */
export async function eachOf<T>(
  count: number,
  atOnce: number,
  work: (index: number, lane: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (_: unknown, number: number) => {
    while (next < count) {
      const index = next++;
      results[index] = await work(index, number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
