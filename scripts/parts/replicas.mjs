export const REPLICATED = /** @type {const} */ (['auth', 'tasks', 'scheduler', 'telemetry', 'gateway']);
const MOST = 16;

/** @typedef {Record<(typeof REPLICATED)[number], number>} ReplicaCounts */

/**
 * How many processes of each service run: `GANTRY_REPLICAS` for all, `GANTRY_REPLICAS_TASKS` and so on for one.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {{ counts: ReplicaCounts, notice?: string }}
 */
export function replicaCounts(environment) {
  const all = countFrom(environment, 'GANTRY_REPLICAS') ?? 1;
  const counts = /** @type {ReplicaCounts} */ (
    Object.fromEntries(
      REPLICATED.map((name) => [name, countFrom(environment, `GANTRY_REPLICAS_${name.toUpperCase()}`) ?? all]),
    )
  );
  if (counts.telemetry === 1 || (environment['CLICKHOUSE_URL'] ?? '') !== '') return { counts };
  const reason =
    'The embedded ClickHouse belongs to one process; set CLICKHOUSE_URL to a server for more of telemetry.';
  if (countFrom(environment, 'GANTRY_REPLICAS_TELEMETRY') !== undefined) {
    throw new Error(`GANTRY_REPLICAS_TELEMETRY is ${counts.telemetry}. ${reason}`);
  }
  return { counts: { ...counts, telemetry: 1 }, notice: `One telemetry process only. ${reason}` };
}

/** @param {NodeJS.ProcessEnv} environment @param {string} variable @returns {number | undefined} */
function countFrom(environment, variable) {
  const text = environment[variable];
  if (text === undefined || text === '') return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST)
    throw new Error(`${variable} is "${text}"; set it to a number from 1 to ${MOST}.`);
  return count;
}
