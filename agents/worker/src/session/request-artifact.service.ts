import { commitArtifact, putArtifactChunk } from '@gantry/contracts/agents/artifact-upload';
import type { RequestContext } from '@gantry/contracts/messaging/request';
import type { RequestClient } from '@gantry/jetstream/request-client';
import type { ArtifactKey, ArtifactService } from './artifact-service.port.js';

/** The tasks service over request/reply. */
export class RequestArtifactService implements ArtifactService {
  private readonly put;
  private readonly finish;

  constructor(
    private readonly client: RequestClient,
    private readonly workerId: string,
  ) {
    this.put = putArtifactChunk(workerId);
    this.finish = commitArtifact(workerId);
  }

  putChunk(key: ArtifactKey & { offset: number }, bytes: Uint8Array): Promise<{ sequence: number }> {
    return this.client.sendBytes(this.put, key, bytes, this.context(key.taskId));
  }

  async commit(artifact: Parameters<ArtifactService['commit']>[0]): Promise<void> {
    await this.client.request(this.finish, artifact, this.context(artifact.taskId));
  }

  private context(taskId: string): RequestContext {
    return { actor: { kind: 'worker', id: this.workerId }, correlationId: taskId };
  }
}
