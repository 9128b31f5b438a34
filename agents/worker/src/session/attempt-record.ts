import { assignEventSchemas } from '@gantry/contracts/scheduling/assign-events';
import { exitOutcomes } from '@gantry/contracts/agents/report';
import { z } from 'zod';

const time = z.number();

const endingSchema = z.discriminatedUnion('cause', [
  z.object({ cause: z.literal('revoked'), reason: z.enum(['cancelled', 'superseded', 'worker_lost']), graceMs: time }),
  z.object({ cause: z.literal('timed_out'), limitSeconds: z.number(), graceMs: time }),
  z.object({ cause: z.literal('out_of_storage'), limitMb: z.number(), usedMb: z.number(), graceMs: time }),
  z.object({ cause: z.literal('lease_over'), graceMs: time }),
  z.object({ cause: z.literal('agent_stopping'), graceMs: time }),
]);

const resultSchema = z.object({
  outcome: z.enum(exitOutcomes),
  exitCode: z.number().optional(),
  message: z.string(),
  finishedAt: time,
});

const stateSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('accepted') }),
  z.object({ status: z.literal('pulling') }),
  z.object({ status: z.literal('creating'), containerId: z.string().optional(), ending: endingSchema.optional() }),
  z.object({ status: z.literal('running'), containerId: z.string(), startedAt: time }),
  z.object({
    status: z.literal('stopping'),
    containerId: z.string(),
    startedAt: time,
    ending: endingSchema,
    killed: z.boolean(),
  }),
  z.object({
    status: z.literal('collecting'),
    containerId: z.string().optional(),
    startedAt: time.optional(),
    result: resultSchema,
    collected: z.boolean(),
  }),
  z.object({ status: z.literal('done') }),
]);

/** What the agent knows of an attempt, kept in its data folder so that a restart takes it up where it was. */
export const attemptRecordSchema = z.object({
  version: z.literal(1),
  assignment: assignEventSchemas.TaskAssigned,
  state: stateSchema,
  /** Newest measured resource use; the figures are gone with the container. */
  usage: z.object({ cpuSeconds: z.number(), peakMemoryMb: z.number() }).optional(),
});
export type AttemptRecord = z.infer<typeof attemptRecordSchema>;

/** One line of an attempt's journal: what has become known of it. */
export const attemptNoteSchema = attemptRecordSchema.partial().extend({
  /** When it began to run, on the clock of that boot of the machine. */
  startOnBoot: z.object({ id: z.string(), at: z.number() }).optional(),
  /** The log was opened, so that the stream may hold some of it. */
  logOpened: z.literal(true).optional(),
});
export type AttemptNote = z.infer<typeof attemptNoteSchema>;

const positionSchema = z.object({ seconds: z.number(), nanos: z.number(), count: z.number() });

/** Where the log stands: numbering after the newest acknowledged chunk, and the place in the engine's log or the sandbox's spool that belongs to it. */
export const logCheckpointSchema = z.object({
  version: z.literal(1),
  cursor: z.object({
    stdout: positionSchema.optional(),
    stderr: positionSchema.optional(),
    spool: z.number().optional(),
  }),
  numbering: z.object({
    seq: z.number(),
    stdout: z.number(),
    stderr: z.number(),
    system: z.number(),
    second: z.number(),
    passed: z.number(),
    dropped: z.number(),
  }),
  /** Lines of each stream after the cursor that the stream of logs has already; missing = none. */
  skip: z.object({ stdout: z.number(), stderr: z.number() }).optional(),
  /** Lines of the agent's own after this point: they are not in the engine's log, but hold numbers between its lines. */
  systemLines: z.array(z.object({ seq: z.number(), t: z.number(), text: z.string() })),
});
export type LogCheckpoint = z.infer<typeof logCheckpointSchema>;
