import { z } from 'zod';

/**
 * The server's rules for a task, mirrored so that a person hears of a mistake before the round trip. The server decides:
 * a rule that is missing here only costs a round trip, and its answer lands at the same field.
 */
const IMAGE =
  /^(?:(?:[a-z0-9]+(?:[.-][a-z0-9]+)*|\[[0-9a-f:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LABEL_KEY = /^[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?$/;
const QUEUE = /^[a-z0-9][a-z0-9-]{0,62}$/;

const labels = z
  .record(z.string().regex(LABEL_KEY, 'Use lower-case letters, digits, ".", "_", "/" or "-".'), z.string().max(255))
  .refine((entries) => Object.keys(entries).length <= 64, 'At most 64 labels.');

export const submitRules = z.object({
  name: z.string().min(1, 'Give the task a name.').max(200),
  description: z.string().max(4_000),
  image: z
    .string()
    .min(1, 'Name an image.')
    .max(512)
    .regex(IMAGE, 'Write an image reference such as "busybox:latest".'),
  command: z.array(z.string().max(32_768)).max(1_000),
  env: z
    .record(
      z.string().regex(ENV_NAME, 'Use letters, digits and "_", not starting with a digit.'),
      z.string().max(32_768),
    )
    .refine((env) => Object.keys(env).length <= 500, 'At most 500 variables.')
    .refine((env) => !Object.keys(env).some((key) => key.startsWith('NVIDIA_')), 'NVIDIA_* is set by the worker.'),
  resources: z.object({
    cpu: z.number().min(0.01, 'Ask for at least 0.01 cores.').max(100_000).optional(),
    memoryMb: z.int().min(8, 'Ask for at least 8 MiB.').max(100_000_000).optional(),
    storageMb: z.int().min(0).max(1_000_000_000).optional(),
    gpu: z.object({
      count: z.int().min(0).max(64),
      model: z.string().max(100).optional(),
      memoryMb: z.int().min(1).max(4_000_000).optional(),
    }),
  }),
  tags: z.array(z.string().trim().min(1).max(63)).max(32),
  labels,
  workerLabels: labels,
  queue: z.string().regex(QUEUE, 'Use lower-case letters, digits and "-".').optional(),
  priority: z.int().min(-100).max(100).optional(),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(30 * 86_400)
    .optional(),
  retries: z.int().min(0).max(100).optional(),
  retryMemoryFactor: z.number().min(1, 'Between 1 and 4.').max(4, 'Between 1 and 4.').optional(),
  retryMemoryMaxMb: z.int().min(8, 'Allow at least 8 MiB.').max(100_000_000).optional(),
  leaseSeconds: z
    .int()
    .min(15, 'Give at least 15 s: a lease must outlast a lost heartbeat.')
    .max(7 * 86_400, 'Give at most 7 days: a task of a dead machine waits for so long.')
    .optional(),
  network: z.enum(['none', 'bridge']),
});
