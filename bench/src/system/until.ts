/** Waits for a condition; throws when it has not come true in time. */
export async function until(condition: () => Promise<boolean>, limitMs: number, everyMs = 20): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not true after ${limitMs / 1_000} s: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
