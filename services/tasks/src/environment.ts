import { snapshotEnvironmentShape } from '@gantry/jetstream/snapshot-environment';
import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';
import { z } from 'zod';

const DAY_SECONDS = 86_400;

const schema = z.object({
  ...baseEnvironmentShape,
  ...snapshotEnvironmentShape,
  /** An ended task stays in TASKS for so long, then it is in ARCHIVE only. */
  GANTRY_ARCHIVE_AFTER_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500 * DAY_SECONDS)
    .default(7 * DAY_SECONDS),
  /** With more ended tasks than this in TASKS, the oldest ones are archived earlier. */
  GANTRY_ARCHIVE_KEEP_TASKS: z.coerce.number().int().min(0).default(1_000_000),
  /** From the archiving to the removal from TASKS. Longer than a process, or a machine, can stand still unnoticed. */
  GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS: z.coerce.number().int().min(60).max(DAY_SECONDS).default(600),
});
export type Environment = z.output<typeof schema>;

export const readEnvironment = (source?: NodeJS.ProcessEnv): Environment => parseEnvironment(schema, source);
