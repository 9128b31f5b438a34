import { z } from 'zod';
import { artifactSchema } from '../tasks/task-status.js';
import { defineRequest } from '../messaging/request.js';

export const UPLOAD_CHUNK_BYTES = 512 * 1024;
export const MAX_ARTIFACT_BYTES = 10 * 1024 ** 3;
export const MAX_ARTIFACTS_PER_ATTEMPT = 1_000;

/** A safe relative path: no absolute, no `..`, no NUL, no back-slash, at most 1,024 characters. */
export const artifactPathSchema = z
  .string()
  .min(1)
  .max(1_024)
  .refine((path) => !path.startsWith('/') && !path.includes('\0') && !path.includes('\\'), 'Use a relative path.')
  .refine(
    (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'No empty, "." or ".." parts.',
  );

/** `artifactId` = `deterministicId(taskId, attempt, path)`, so an upload that starts over overwrites nothing twice. */
const key = { taskId: z.uuid(), attempt: z.int().min(1), artifactId: z.uuid() };

/** Subjects carry the worker's id, so that a worker's credentials reach only its own. `*` = what the service listens to. */
export const putArtifactChunk = (workerId: string) =>
  defineRequest({
    subject: `upload.${workerId}.put-chunk`,
    input: z.strictObject({ ...key, offset: z.int().min(0) }),
    /** Position in stream ARTIFACTS, to be named at commit. */
    output: z.object({ sequence: z.int() }),
    inputBytes: true,
    timeoutMs: 30_000,
  });

/**
 * Finishes an upload: the service reads the chunks back, checks order, size and SHA-256, then stores `ArtifactStored`
 * and answers. Refused if the attempt is not the task's current one.
 */
export const commitArtifact = (workerId: string) =>
  defineRequest({
    subject: `upload.${workerId}.commit`,
    input: z.strictObject({
      ...key,
      path: artifactPathSchema,
      sizeBytes: z.int().min(0).max(MAX_ARTIFACT_BYTES),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      mediaType: z.string().max(200),
      chunks: z.array(z.strictObject({ sequence: z.int(), sizeBytes: z.int() })),
    }),
    output: artifactSchema,
    timeoutMs: 120_000,
  });
