import { cpus, hostname } from 'node:os';
import { labelsSchema } from '@gantry/contracts/tasks/task-spec';
import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';
import { z } from 'zod';
import { SIMULATED } from './runtime/simulated/simulated-runtime.js';

/**
 * A pull of which nothing new is heard for so long is given up. The engine is silent while it puts a large layer on a slow disk, and while
 * a layer waits for its turn behind those of other pulls: minutes, but not this many.
 */
const DEFAULT_PULL_IDLE_MS = 10 * 60_000;
const unitBytes: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

const labels = list
  .transform((pairs) =>
    Object.fromEntries(
      pairs.map((pair) => {
        const at = pair.indexOf('=');
        return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
      }),
    ),
  )
  .pipe(labelsSchema);

const environmentSchema = z.object({
  ...baseEnvironmentShape,
  /** Folder of all data; the agent keeps its own below `worker/`. With a remote or containerised engine it must have the same path there. */
  GANTRY_DATA: z.string().min(1).default('./data'),
  /** Default: made of the host name at the first start, then kept. */
  GANTRY_WORKER_ID: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      'Use 1-63 lower-case letters, digits and "-", beginning with a letter or digit.',
    )
    .optional(),
  GANTRY_WORKER_NAME: z.string().min(1).max(100).default(hostname()),
  GANTRY_WORKER_RUNTIME: z.enum(['auto', 'docker', 'process', 'simulated']).default('auto'),
  GANTRY_WORKER_CPUS: z.coerce.number().positive().default(cpus().length),
  GANTRY_WORKER_MEMORY_MB: z.coerce.number().int().positive().optional(),
  GANTRY_WORKER_STORAGE_MB: z.coerce.number().int().positive().optional(),
  GANTRY_WORKER_LABELS: labels.default({}),
  GANTRY_WORKER_QUEUES: list.default([]),
  GANTRY_WORKER_MAX_TASKS: z.coerce.number().int().min(1).max(10_000).default(64),
  GANTRY_WORKER_START_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(3),
  /** Lines a second and task that are kept; 0 = all. */
  GANTRY_WORKER_LOG_LINES_PER_SECOND: z.coerce.number().int().min(0).default(0),
  /** Size of one log file in the engine, which keeps four per container. */
  GANTRY_WORKER_LOG_FILE_SIZE: z
    .string()
    .regex(/^[1-9][0-9]*[kmg]$/, 'Write a size such as "512m".')
    .default('1g'),
  /** What waits on disk of the output of one sandbox until it is stored; a task that writes more waits. */
  GANTRY_WORKER_SPOOL_SIZE: z
    .string()
    .regex(/^[1-9][0-9]*[kmg]$/, 'Write a size such as "64m".')
    .default('64m')
    .transform((size) => Number(size.slice(0, -1)) * (unitBytes[size.slice(-1)] ?? 1)),
  /** See `DEFAULT_PULL_IDLE_MS`. */
  GANTRY_WORKER_PULL_IDLE_MS: z.coerce.number().int().min(1_000).max(86_400_000).default(DEFAULT_PULL_IDLE_MS),
  /** Docker's `config.json` with the credentials of registries. */
  GANTRY_WORKER_REGISTRY_CONFIG: z.string().optional(),
  /** True: stopping the agent stops its containers. False: they run on and the next start takes them up. */
  GANTRY_WORKER_STOP_TASKS_ON_EXIT: flag.default(false),
  GANTRY_METRICS_INTERVAL_MS: z.coerce.number().int().min(250).max(60_000).default(2_000),
  DOCKER_HOST: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/|https?:\/\/)/, 'Write unix:///path or tcp://host:port.')
    .optional(),
});

export type WorkerEnvironment = z.output<typeof environmentSchema>;

export function readEnvironment(source: NodeJS.ProcessEnv = process.env): WorkerEnvironment {
  const environment = parseEnvironment(environmentSchema, source);
  if (environment.GANTRY_WORKER_RUNTIME !== SIMULATED) return environment;
  // No setting may bring a task here that did not ask to be simulated.
  const labels = { ...environment.GANTRY_WORKER_LABELS, simulated: 'true' };
  return { ...environment, GANTRY_WORKER_QUEUES: [SIMULATED], GANTRY_WORKER_LABELS: labels };
}
