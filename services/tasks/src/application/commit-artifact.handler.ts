import { createHash } from 'node:crypto';
import type { commitArtifact } from '@gantry/contracts/agents/artifact-upload';
import { UPLOAD_CHUNK_BYTES } from '@gantry/contracts/agents/artifact-upload';
import type { ParsedInputOf } from '@gantry/contracts/messaging/request';
import type { Artifact } from '@gantry/contracts/tasks/task-status';
import type { Clock } from '@gantry/kernel/clock';
import { deterministicId } from '@gantry/kernel/ids';
import { artifactErrors } from '../domain/task/task.errors.js';
import { assertCurrentAttempt } from '../domain/task/task.decide.js';
import type { ArtifactStore } from './artifact-store.port.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

type CommitArtifact = ParsedInputOf<ReturnType<typeof commitArtifact>>;

/** Chunks read side by side: enough to hide the round trip, and at most a few MiB in memory per upload. */
const READ_AHEAD = 4;

export class CommitArtifactHandler {
  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly artifacts: ArtifactStore,
    private readonly clock: Clock,
  ) {}

  async handle(upload: CommitArtifact, workerId: string): Promise<Artifact> {
    const { taskId, attempt, artifactId, path, sizeBytes, sha256, mediaType, chunks } = upload;
    if (artifactId !== deterministicId(taskId, String(attempt), path)) throw artifactErrors.idMismatch();
    await this.executor.afterAssignment(taskId, attempt, async () =>
      assertCurrentAttempt(await this.executor.state(taskId), attempt, workerId),
    );
    const before = await this.stored(taskId, artifactId);
    if (before?.sha256 === sha256) return before;

    await this.verify(upload);
    const artifact: Artifact = {
      id: artifactId,
      attempt,
      path,
      sizeBytes,
      sha256,
      mediaType,
      storedAt: this.clock.now(),
    };
    await this.artifacts.putManifest({ ...artifact, taskId, chunks });
    const executed = await this.executor.execute(
      taskId,
      { type: 'RecordArtifact', workerId, artifact },
      {
        commandId: `artifact:${artifactId}:${sha256}`,
        actor: { kind: 'worker', id: workerId },
        correlationId: taskId,
        causationId: artifactId,
      },
    );
    return (await this.stored(taskId, artifactId, executed.version)) ?? artifact;
  }

  private async stored(taskId: string, artifactId: string, version?: number): Promise<Artifact | undefined> {
    return (await this.executor.view(taskId, version))?.artifacts.find((known) => known.id === artifactId);
  }

  /** Reads back what the stream really holds: an agent's word is not enough to call a file complete. */
  private async verify({ taskId, artifactId, sizeBytes, sha256, chunks }: CommitArtifact): Promise<void> {
    const announced = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
    if (announced !== sizeBytes)
      throw artifactErrors.corrupt(`the chunks add up to ${announced} bytes, not ${sizeBytes}`);
    if (chunks.some((chunk) => chunk.sizeBytes < 1 || chunk.sizeBytes > UPLOAD_CHUNK_BYTES)) {
      throw artifactErrors.corrupt('a chunk has an impossible size');
    }
    const hash = createHash('sha256');
    for (let from = 0; from < chunks.length; from += READ_AHEAD) {
      const window = chunks.slice(from, from + READ_AHEAD);
      const bodies = await Promise.all(
        window.map((chunk) => this.artifacts.readChunk(taskId, artifactId, chunk.sequence)),
      );
      bodies.forEach((body, index) => {
        if (body === undefined) throw artifactErrors.corrupt(`chunk ${from + index + 1} is missing`);
        if (body.length !== window[index]?.sizeBytes)
          throw artifactErrors.corrupt(`chunk ${from + index + 1} has ${body.length} bytes`);
        hash.update(body);
      });
    }
    if (hash.digest('hex') !== sha256) throw artifactErrors.corrupt('the checksum differs');
  }
}
