/** Starts `work` at a steady rate, whether or not the earlier ones have ended; resolves when all have. */
export async function atRate(perSecond: number, seconds: number, work: () => Promise<void>): Promise<void> {
  const total = perSecond * seconds;
  const startedAt = performance.now();
  const pending: Promise<void>[] = [];
  const elapsedMs = (): number => performance.now() - startedAt;
  while (pending.length < total) {
    const due = Math.min(total, Math.floor((elapsedMs() / 1_000) * perSecond) + 1);
    while (pending.length < due) pending.push(work());
    await new Promise((resolve) => setTimeout(resolve, (pending.length / perSecond) * 1_000 - elapsedMs()));
  }
  await Promise.all(pending);
}
