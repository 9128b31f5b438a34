import { createLogger } from '@gantry/nest-platform/logger';
import { createRegistry, startMetricsServer } from '@gantry/nest-platform/metrics';
import { readEnvironment } from './environment.js';
import { registerAgentMetrics } from './telemetry/agent-metrics.js';
import { WorkerAgent } from './worker-agent.js';

const STOP_DEADLINE_MS = 9_000;

const environment = readEnvironment();
const logger = createLogger('worker', { level: environment.LOG_LEVEL, format: environment.LOG_FORMAT });

const die = (error: unknown): void => {
  logger.fatal({ err: error }, 'agent failed');
  logger.flush();
  process.exit(1);
};
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

let stopRequested: (() => void) | undefined;
const stopAsked = new Promise<void>((resolve) => {
  stopRequested = resolve;
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopRequested?.());
process.on('disconnect', () => stopRequested?.());
process.on('message', (message: unknown) => {
  if ((message as { type?: unknown } | null)?.type === 'stop') stopRequested?.();
});

// Until it is up there is nothing to put in order: containers of an earlier start run on.
const booting = WorkerAgent.start(environment, logger);
const agent = await Promise.race([booting, stopAsked.then(() => undefined)]);
if (agent === undefined) process.exit(0);

const registry = createRegistry('worker');
registerAgentMetrics(registry, agent);
const metrics = await startMetricsServer(registry, agent.health, environment.METRICS_PORT);
logger.info('ready');
process.send?.({ type: 'ready' });

await stopAsked;
setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref();
await agent.stop();
await metrics?.close();
process.exit(0);
