import { commitArtifact, putArtifactChunk } from '@gantry/contracts/agents/artifact-upload';
import type { OutputOf, ParsedInputOf } from '@gantry/contracts/messaging/request';
import { getArtifact, readArtifact } from '@gantry/contracts/tasks/task-requests';
import type { Artifact } from '@gantry/contracts/tasks/task-status';
import { HandleRequest, type InboundRequest } from '@gantry/jetstream/nest/decorators';
import { Controller, Inject, UseInterceptors } from '@nestjs/common';
import { CommitArtifactHandler } from '../../application/commit-artifact.handler.js';
import { PutArtifactChunkHandler } from '../../application/put-artifact-chunk.handler.js';
import { ReadArtifactHandler } from '../../application/read-artifact.handler.js';
import { CurrentBoard } from './current-board.interceptor.js';

const anyWorkerPuts = putArtifactChunk('*');
const anyWorkerCommits = commitArtifact('*');

/** Files of tasks: agents bring them, the edge reads them. */
@Controller()
export class ArtifactsRequests {
  constructor(
    @Inject(PutArtifactChunkHandler) private readonly putHandler: PutArtifactChunkHandler,
    @Inject(CommitArtifactHandler) private readonly commitHandler: CommitArtifactHandler,
    @Inject(ReadArtifactHandler) private readonly reader: ReadArtifactHandler,
  ) {}

  @HandleRequest(anyWorkerPuts)
  putChunk(
    input: ParsedInputOf<typeof anyWorkerPuts>,
    { bytes, subject }: InboundRequest,
  ): Promise<OutputOf<typeof anyWorkerPuts>> {
    return this.putHandler.handle(input, bytes ?? new Uint8Array(0), workerOf(subject));
  }

  @HandleRequest(anyWorkerCommits)
  @UseInterceptors(CurrentBoard)
  commit(input: ParsedInputOf<typeof anyWorkerCommits>, { subject }: InboundRequest): Promise<Artifact> {
    return this.commitHandler.handle(input, workerOf(subject));
  }

  @HandleRequest(getArtifact)
  @UseInterceptors(CurrentBoard)
  describe(input: ParsedInputOf<typeof getArtifact>, { context }: InboundRequest): Promise<Artifact> {
    return this.reader.describe(input, context);
  }

  @HandleRequest(readArtifact)
  @UseInterceptors(CurrentBoard)
  read(input: ParsedInputOf<typeof readArtifact>, { context }: InboundRequest): Promise<Uint8Array> {
    return this.reader.read(input, context);
  }
}

/** The broker lets a worker publish under its own id only, so the subject says who it is; the body would be its word alone. */
function workerOf(subject: string): string {
  return subject.split('.')[1] ?? '';
}
