import { z } from 'zod';
import { timing } from '../messaging/timing.js';
import { MAX_MEMORY_MB, resourceRequestSchema } from '../resources.js';

const IMAGE =
  /^(?:(?:[a-z0-9]+(?:[.-][a-z0-9]+)*|\[[0-9a-f:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHORTEST_LEASE_S = timing.shortestLeaseMs / 1_000;
const LONGEST_LEASE_S = timing.longestLeaseMs / 1_000;
const LABEL_KEY = /^[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?$/;

export const labelsSchema = z
  .record(z.string().regex(LABEL_KEY, 'Use lower-case letters, digits, ".", "_", "/" or "-".'), z.string().max(255))
  .refine((labels) => Object.keys(labels).length <= 64, 'At most 64 labels.');

/** What a user asks to run. Unknown fields are refused, so that a typing error is never silently ignored. */
export const taskSpecSchema = z.strictObject({
  name: z.string().trim().min(1, 'Give the task a name.').max(200),
  description: z.string().max(4_000).default(''),
  /** Image reference; the sandboxed process runtime ignores it. */
  image: z
    .string()
    .min(1, 'Name an image.')
    .max(512)
    .regex(IMAGE, 'Write an image reference such as "busybox:latest".'),
  /** Argument vector; empty = the image's own command. */
  command: z.array(z.string().max(32_768)).max(1_000).default([]),
  env: z
    .record(
      z.string().regex(ENV_NAME, 'Use letters, digits and "_", not starting with a digit.'),
      z.string().max(32_768),
    )
    .refine((env) => Object.keys(env).length <= 500, 'At most 500 variables.')
    .refine((env) => !Object.keys(env).some((key) => key.startsWith('NVIDIA_')), 'NVIDIA_* is set by the worker.')
    .default({}),
  resources: resourceRequestSchema.default({ cpu: 1, memoryMb: 256, storageMb: 1024, gpu: { count: 0 } }),
  tags: z.array(z.string().trim().min(1).max(63)).max(32).default([]),
  labels: labelsSchema.default({}),
  /** The worker must carry all of these labels. */
  workerLabels: labelsSchema.default({}),
  queue: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Use lower-case letters, digits and "-".')
    .default('default'),
  /** Higher runs first. */
  priority: z.int().min(-100).max(100).default(0),
  /** Wall-clock limit of one attempt from container start, seconds. */
  timeoutSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(3_600),
  /** How often a failed attempt is tried again (user exit, out of memory, time-out). */
  retries: z.int().min(0).max(100).default(0),
  /** A retry after running out of memory gets so many times the memory of the attempt before it; absent = 1, the same again. */
  retryMemoryFactor: z.number().min(1).max(4).optional(),
  /** Such retries never get more than this, MiB; absent = no limit, so a task may grow until no worker can take it. */
  retryMemoryMaxMb: z.int().min(8).max(MAX_MEMORY_MB).optional(),
  /**
   * How long the worker may be out of touch before the task is stopped there and placed again, seconds; absent = as the scheduler is
   * set (60 s). Long: a training run rides out an outage of the network. Short: a lost machine costs little time.
   */
  leaseSeconds: z
    .int()
    .min(SHORTEST_LEASE_S, `Give at least ${SHORTEST_LEASE_S} s: a lease must outlast a lost heartbeat.`)
    .max(
      LONGEST_LEASE_S,
      `Give at most ${LONGEST_LEASE_S} s (${LONGEST_LEASE_S / 86_400} days): a task of a dead machine waits for so long.`,
    )
    .optional(),
  /** `none` unless asked for: then a bridge of its own. */
  network: z.enum(['none', 'bridge']).default('none'),
});
export type TaskSpec = z.output<typeof taskSpecSchema>;
export type TaskSpecInput = z.input<typeof taskSpecSchema>;

/** The largest spec that is accepted, bytes of JSON: it must fit a broker message with room for the envelope. */
export const MAX_SPEC_BYTES = 256 * 1024;
