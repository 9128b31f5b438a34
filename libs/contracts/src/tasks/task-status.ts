import { z } from 'zod';

export const activeStatuses = ['queued', 'assigned', 'starting', 'running'] as const;
export const terminalStatuses = ['succeeded', 'failed', 'cancelled', 'timed_out'] as const;
export const taskStatuses = [...activeStatuses, ...terminalStatuses] as const;
export const taskStatusSchema = z.enum(taskStatuses);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

export function isTerminal(status: TaskStatus): boolean {
  return (terminalStatuses as readonly string[]).includes(status);
}

/** Why an attempt did not succeed. `infrastructure` never uses up the user's retries. */
export const failureClasses = ['user_exit', 'out_of_memory', 'timeout', 'image', 'invalid', 'infrastructure'] as const;
export const failureSchema = z.object({
  class: z.enum(failureClasses),
  /** For people: what happened and what to do. */
  message: z.string(),
});
export type Failure = z.infer<typeof failureSchema>;

export const artifactSchema = z.object({
  id: z.string(),
  attempt: z.number().int(),
  /** Relative to /output, forward slashes. */
  path: z.string(),
  sizeBytes: z.number().int(),
  /** Hex SHA-256 of the content, verified by reading back what was stored. */
  sha256: z.string(),
  mediaType: z.string(),
  storedAt: z.number().int(),
});
export type Artifact = z.infer<typeof artifactSchema>;

/** Resource use of one attempt, measured by the agent. */
export const usageSchema = z.object({
  cpuSeconds: z.number(),
  peakMemoryMb: z.number(),
  durationMs: z.number(),
});
export type Usage = z.infer<typeof usageSchema>;
