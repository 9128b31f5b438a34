import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  MAX_ARTIFACT_BYTES,
  MAX_ARTIFACTS_PER_ATTEMPT,
  UPLOAD_CHUNK_BYTES,
} from '@gantry/contracts/agents/artifact-upload';
import { backOff, pause } from '@gantry/jetstream/pause';
import { GantryError } from '@gantry/kernel/gantry-error';
import { deterministicId } from '@gantry/kernel/ids';
import type { Logger } from '@gantry/nest-platform/logger';
import { mediaTypeOf } from '../domain/media-type.js';
import type { ArtifactKey, ArtifactService } from './artifact-service.port.js';
import { listOutput, type OutputFile } from './output-walk.js';

const WINDOW = 4;
const MEBIBYTE = 1024 * 1024;
/** Named one by one in the task's log; a task that leaves more gets their number. */
const MAX_NAMED_SKIPS = 50;

export interface Upload {
  readonly taskId: string;
  readonly attempt: number;
  readonly folder: string;
  readonly storageMb: number;
  /** Tells the task's owner in its log. */
  tell(text: string): Promise<void>;
  readonly signal: AbortSignal;
}

/** Stores the files of an attempt with the tasks service. */
export class ArtifactUploader {
  constructor(
    private readonly service: ArtifactService,
    private readonly logger: Pick<Logger, 'error'>,
  ) {}

  /** Resolves when every file is stored or was said to be left out, or when the signal aborts. Safe to repeat. */
  async collect(upload: Upload): Promise<void> {
    const { taskId, attempt, signal } = upload;
    try {
      await this.storeAll(upload);
    } catch (error) {
      if (signal.aborted) return;
      this.logger.error({ err: error, taskId, attempt }, 'files could not be collected');
      await upload.tell(`Files were not kept: ${(error as Error).message}`);
    }
  }

  private async storeAll(upload: Upload): Promise<void> {
    const { files, skipped } = await listOutput(upload.folder);
    let stored = 0;
    let bytes = 0;
    const left = skipped.map(({ name, why }) => `Not kept: ${name}, because ${why}.`);
    for (const file of files) {
      if (upload.signal.aborted) return;
      const why = this.tooMuch(file, stored, bytes, upload.storageMb);
      if (why !== undefined) {
        left.push(`Not kept: ${file.path}, because ${why}.`);
        continue;
      }
      try {
        await this.store(file, upload);
        stored += 1;
        bytes += file.sizeBytes;
      } catch (error) {
        if (upload.signal.aborted) return;
        if (error instanceof GantryError && error.kind === 'conflict') {
          await upload.tell(`Files were not kept: ${error.message}`);
          return;
        }
        left.push(`Not kept: ${file.path}, because it could not be stored: ${(error as Error).message}`);
      }
    }
    for (const text of left.slice(0, MAX_NAMED_SKIPS)) await upload.tell(text);
    if (left.length > MAX_NAMED_SKIPS)
      await upload.tell(`Not kept: ${left.length - MAX_NAMED_SKIPS} more entries of /output.`);
  }

  private tooMuch(file: OutputFile, stored: number, bytes: number, storageMb: number): string | undefined {
    if (stored >= MAX_ARTIFACTS_PER_ATTEMPT) return `an attempt may keep ${MAX_ARTIFACTS_PER_ATTEMPT} files`;
    if (file.sizeBytes > MAX_ARTIFACT_BYTES) return `a file may have ${MAX_ARTIFACT_BYTES / MEBIBYTE} MiB`;
    if (bytes + file.sizeBytes > storageMb * MEBIBYTE)
      return `the files are larger than the task's storage of ${storageMb} MiB`;
    return undefined;
  }

  private async store(file: OutputFile, { taskId, attempt, signal }: Upload): Promise<void> {
    const key: ArtifactKey = { taskId, attempt, artifactId: deterministicId(taskId, String(attempt), file.path) };
    // NOFOLLOW and NONBLOCK: whatever took the file's place since it was listed, it is neither followed nor waited for.
    const handle = await open(file.absolutePath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) throw new Error('it is no longer a regular file');
      const { sha256, sizeBytes, chunks } = await this.putChunks(handle, key, signal);
      await this.patiently(
        () =>
          this.service.commit({
            ...key,
            path: file.path,
            sizeBytes,
            sha256,
            mediaType: mediaTypeOf(file.path),
            chunks,
          }),
        signal,
      );
    } finally {
      await handle.close();
    }
  }

  private async putChunks(handle: FileHandle, key: ArtifactKey, signal: AbortSignal) {
    const hash = createHash('sha256');
    const chunks: { sequence: number; sizeBytes: number }[] = [];
    const inFlight = new Set<Promise<void>>();
    let failure: Error | undefined;
    let offset = 0;
    for (let index = 0; failure === undefined; index += 1) {
      signal.throwIfAborted();
      // A buffer of its own for each chunk: earlier ones are still being sent.
      const buffer = Buffer.allocUnsafe(UPLOAD_CHUNK_BYTES);
      const { bytesRead } = await handle.read(buffer, 0, UPLOAD_CHUNK_BYTES, offset);
      if (bytesRead === 0) break;
      const bytes = buffer.subarray(0, bytesRead);
      hash.update(bytes);
      const at = offset;
      offset += bytesRead;
      const sending = this.patiently(() => this.service.putChunk({ ...key, offset: at }, bytes), signal)
        .then(
          ({ sequence }) => {
            chunks[index] = { sequence, sizeBytes: bytesRead };
          },
          (error: Error) => {
            failure ??= error;
          },
        )
        .finally(() => inFlight.delete(sending));
      inFlight.add(sending);
      if (inFlight.size >= WINDOW) await Promise.race(inFlight);
    }
    await Promise.all(inFlight);
    if (failure !== undefined) throw failure;
    return { sha256: hash.digest('hex'), sizeBytes: offset, chunks };
  }

  /** A file is not given up because a service restarts: passing trouble is waited out. */
  private async patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    let leave: () => void = () => undefined;
    const aborted = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason as Error);
    });
    aborted.catch(() => undefined);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await this.repeated(work, aborted, signal);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  private async repeated<T>(work: () => Promise<T>, aborted: Promise<never>, signal: AbortSignal): Promise<T> {
    for (let failures = 0; ; failures += 1) {
      signal.throwIfAborted();
      try {
        // A request can wait half a minute for its answer; a cancelled task does not.
        return await Promise.race([work(), aborted]);
      } catch (error) {
        if (!(error instanceof GantryError) || !error.retryable) throw error;
        await pause(backOff(failures, 200, 10_000), signal);
      }
    }
  }
}
