import { MAX_ARTIFACT_BYTES, UPLOAD_CHUNK_BYTES } from '@gantry/contracts/agents/artifact-upload';
import { artifactErrors } from '../domain/task/task.errors.js';
import { assertCurrentAttempt } from '../domain/task/task.decide.js';
import type { ArtifactStore, ChunkKey } from './artifact-store.port.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

export class PutArtifactChunkHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly artifacts: ArtifactStore,
  ) {}

  async handle(key: ChunkKey, bytes: Uint8Array, workerId: string): Promise<{ sequence: number }> {
    if (bytes.length === 0) throw artifactErrors.emptyChunk();
    if (bytes.length > UPLOAD_CHUNK_BYTES) throw artifactErrors.tooLarge(UPLOAD_CHUNK_BYTES);
    if (key.offset + bytes.length > MAX_ARTIFACT_BYTES) throw artifactErrors.tooLarge(MAX_ARTIFACT_BYTES);
    await this.executor.afterAssignment(key.taskId, key.attempt, async () =>
      assertCurrentAttempt(await this.executor.state(key.taskId), key.attempt, workerId),
    );
    return { sequence: await this.artifacts.putChunk(key, bytes) };
  }
}
