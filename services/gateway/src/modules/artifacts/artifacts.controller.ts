import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { getArtifact, MAX_ARTIFACT_READ_BYTES, readArtifact } from '@gantry/contracts/tasks/task-requests';
import type { Artifact } from '@gantry/contracts/tasks/task-status';
import { GantryError } from '@gantry/kernel/gantry-error';
import { ServiceClient } from '../../adapters/service-client.js';
import { principalOf, type Caller } from '../../security/caller.js';
import { visibleTo } from '../../security/principal.js';
import { artifactNode } from '../tasks/task-node.js';
import { TaskReader } from '../tasks/task-reader.js';
import { attachment, notModified, parseRange, rangeApplies, type ByteRange } from './byte-range.js';
import { ArtifactLinks } from './artifact-links.js';

/** Types that a browser would run in our origin are served as plain bytes; the page never embeds them. */
const SAFE_MEDIA_TYPE =
  /^(?!text\/html|application\/xhtml|image\/svg|application\/xml|text\/xml)[\w.+-]+\/[\w.+-]+(?:; ?charset=[\w-]+)?$/i;

@Controller('api/tasks')
export class ArtifactsController {
  constructor(
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(TaskReader) private readonly reader: TaskReader,
    @Inject(ArtifactLinks) private readonly links: ArtifactLinks,
  ) {}

  @Get(':id/files')
  async list(@Param('id') id: string, @Req() request: FastifyRequest) {
    const { task } = await this.reader.get(id, request.caller);
    return { files: task.artifacts.map((artifact) => artifactNode(task.id, artifact)) };
  }

  @Post(':id/files/:fileId/ticket')
  ticket(@Param('id') id: string, @Param('fileId') fileId: string, @Req() request: FastifyRequest) {
    return this.links.forArtifact(id, fileId, request.caller);
  }

  /** Serves HEAD as well. Chunks are read one after the other, as fast as the client takes them. */
  @Get(':id/files/:fileId')
  async download(
    @Param('id') id: string,
    @Param('fileId') fileId: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const { caller, headers } = request;
    const visibility = { visibleTo: visibleTo(principalOf(caller)) };
    const artifact = await this.services.ask(getArtifact, { taskId: id, ...visibility, artifactId: fileId }, caller);
    const etag = `"${artifact.sha256}"`;
    reply.headers({
      etag,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'content-disposition': attachment(artifact.path),
      'content-security-policy': "default-src 'none'; sandbox",
    });
    if (notModified(headers['if-none-match'], etag)) return reply.code(304).send();
    const ifRange = headers['if-range'];
    const range = rangeApplies(typeof ifRange === 'string' ? ifRange : undefined, etag)
      ? parseRange(headers.range, artifact.sizeBytes)
      : undefined;
    if (range === 'unsatisfiable') {
      reply.header('content-range', `bytes */${artifact.sizeBytes}`);
      return reply.code(416).send(outOfRange(artifact));
    }
    const span: ByteRange = range ?? { first: 0, last: artifact.sizeBytes - 1 };
    reply.code(range === undefined ? 200 : 206);
    if (range !== undefined) reply.header('content-range', `bytes ${range.first}-${range.last}/${artifact.sizeBytes}`);
    reply.header('content-length', span.last - span.first + 1);
    reply.type(SAFE_MEDIA_TYPE.test(artifact.mediaType) ? artifact.mediaType : 'application/octet-stream');
    // An empty stream, because the length of the file must stay in the header.
    if (request.method === 'HEAD') return reply.send(Readable.from([]));
    return reply.send(
      Readable.from(this.chunks(id, artifact, span, caller), {
        objectMode: false,
        highWaterMark: MAX_ARTIFACT_READ_BYTES,
      }),
    );
  }

  private async *chunks(
    taskId: string,
    artifact: Artifact,
    { first, last }: ByteRange,
    caller: Caller,
  ): AsyncGenerator<Uint8Array> {
    const visibility = { visibleTo: visibleTo(principalOf(caller)) };
    for (let offset = first; offset <= last;) {
      const length = Math.min(MAX_ARTIFACT_READ_BYTES, last - offset + 1);
      const bytes = await this.services.askBytes(
        readArtifact,
        { taskId, ...visibility, artifactId: artifact.id, offset, length },
        caller,
      );
      if (bytes.byteLength === 0 || bytes.byteLength > length) {
        throw new GantryError(
          'ARTIFACT.DAMAGED',
          'internal',
          'The stored file does not have the size it should have. Ask an administrator to check the artifact store.',
        );
      }
      offset += bytes.byteLength;
      yield bytes;
    }
  }
}

function outOfRange(artifact: Artifact) {
  return {
    error: {
      code: 'ARTIFACT.RANGE',
      kind: 'invalid',
      message: `The file has ${artifact.sizeBytes} bytes; ask for a range inside.`,
      retryable: false,
    },
  };
}
