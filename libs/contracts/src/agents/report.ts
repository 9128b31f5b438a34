import { z } from 'zod';
import { usageSchema } from '../tasks/task-status.js';

const time = z.number().int();

/** How a container ended, as the agent saw it. */
export const exitOutcomes = [
  'exited',
  'out_of_memory',
  'timed_out',
  'cancelled',
  'failed_to_start',
  'image_error',
  'infrastructure_error',
] as const;

const accepted = z.object({ type: z.literal('accepted') });
const started = z.object({ type: z.literal('started'), startedAt: time, containerId: z.string() });

const reportBodySchema = z.discriminatedUnion('type', [
  accepted,
  z.object({
    type: z.literal('pulling'),
    percent: z.number().min(0).max(100).optional(),
    message: z.string().optional(),
  }),
  started,
  z.object({
    type: z.literal('progress'),
    percent: z.number().min(0).max(100).optional(),
    message: z.string().optional(),
  }),
  z.object({
    type: z.literal('exited'),
    outcome: z.enum(exitOutcomes),
    exitCode: z.number().int().optional(),
    /** For people; required in words for everything but a plain exit. */
    message: z.string(),
    startedAt: time.optional(),
    finishedAt: time,
    containerId: z.string().optional(),
    usage: usageSchema.optional(),
  }),
  /** The agent will not run it (unknown runtime, no such GPU, shutting down). */
  z.object({ type: z.literal('rejected'), message: z.string() }),
]);

/**
 * Messages on `report.<workerId>.<taskId>` (work queue, consumed by the tasks service), plain JSON with a
 * `Nats-Msg-Id` of `id`. Delivery is at least once and order is not promised: `exited` carries all that is needed to
 * finish the attempt even if the earlier reports come later.
 */
export const reportSchema = z.object({
  id: z.string(),
  workerId: z.string(),
  taskId: z.string(),
  attempt: z.number().int().min(1),
  at: time,
  report: reportBodySchema,
  /**
   * News of the start that had still to be told, oldest first: so a short task is one message and one commit. A reader that
   * does not know this field loses nothing that `exited` does not carry.
   */
  earlier: z
    .array(z.object({ at: time, report: z.discriminatedUnion('type', [accepted, started]) }))
    .max(8)
    .optional(),
});
export type Report = z.infer<typeof reportSchema>;
export type ReportBody = Report['report'];
export type EarlierReport = NonNullable<Report['earlier']>[number];
