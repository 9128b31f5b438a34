import { z } from 'zod';

/** GPU demand of one task: whole devices. `model` is matched case-insensitively as a substring of the device's name. */
export const gpuRequestSchema = z.strictObject({
  count: z.int().min(0).max(64).default(0),
  model: z.string().trim().min(1).max(100).optional(),
  /** Video memory that each device must have in all, MiB. */
  memoryMb: z.int().min(1).max(4_000_000).optional(),
});

export const MAX_MEMORY_MB = 100_000_000;
export const memoryMbSchema = z.int().min(8, 'Ask for at least 8 MiB.').max(MAX_MEMORY_MB);

/**
 * What a task reserves. `cpu`: cores (fractions allowed, steps of 0.01); `memoryMb`: MiB, also the hard limit of the
 * container; `storageMb`: MiB of scratch space that /output and /tmp may use.
 */
export const resourceRequestSchema = z.strictObject({
  cpu: z.number().min(0.01, 'Ask for at least 0.01 cores.').max(100_000).default(1),
  memoryMb: memoryMbSchema.default(256),
  storageMb: z.int().min(0).max(1_000_000_000).default(1024),
  gpu: gpuRequestSchema.default({ count: 0 }),
});
export type ResourceRequest = z.infer<typeof resourceRequestSchema>;

/** What a worker has, or has free. Units as above. */
export const resourceCapacitySchema = z.object({
  cpu: z.number(),
  memoryMb: z.number(),
  storageMb: z.number(),
});
export type ResourceCapacity = z.infer<typeof resourceCapacitySchema>;
