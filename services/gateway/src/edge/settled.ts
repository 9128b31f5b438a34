/** Why a promise was rejected; typed as unknown, which is what anything thrown is. */
export function reasonOf(rejected: PromiseRejectedResult): unknown {
  return rejected.reason;
}
