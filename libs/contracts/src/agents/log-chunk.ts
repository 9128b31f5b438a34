import { z } from 'zod';

export const logStreams = ['stdout', 'stderr', 'system'] as const;
export const logStreamSchema = z.enum(logStreams);
export type LogStream = z.infer<typeof logStreamSchema>;

/**
 * One line. `seq` numbers all lines of an attempt from 1 in the order of the agent's reading (a total order and the cursor
 * of readers); `n` numbers the lines of one stream from 1, and has no gap unless a `system` line says what was dropped.
 * `t`: epoch milliseconds from the engine. `partial`: the line was cut at the length limit and goes on in the next one.
 */
export const logLineSchema = z.object({
  seq: z.number().int().min(1),
  n: z.number().int().min(1),
  stream: logStreamSchema,
  t: z.number(),
  text: z.string(),
  partial: z.boolean().optional(),
});
export type LogLine = z.infer<typeof logLineSchema>;

export const MAX_LOG_LINE_BYTES = 16 * 1024;
/** Chunks stay well under the broker's 1 MiB message limit. */
export const MAX_LOG_CHUNK_BYTES = 256 * 1024;

/**
 * Message on `logs.<workerId>.<taskId>`, plain JSON, `Nats-Msg-Id` = `<taskId>:<attempt>:<first seq>`. Lines are in `seq`
 * order without gaps inside a chunk. `end` is true on the last chunk of an attempt (which may have no lines).
 */
export const logChunkSchema = z.object({
  taskId: z.string(),
  attempt: z.number().int().min(1),
  workerId: z.string(),
  lines: z.array(logLineSchema),
  end: z.boolean(),
});
export type LogChunk = z.infer<typeof logChunkSchema>;
