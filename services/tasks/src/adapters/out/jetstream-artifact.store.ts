import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { publishBytes, publishJson } from '@gantry/jetstream/publisher';
import { GantryError } from '@gantry/kernel/gantry-error';
import {
  jetstreamManager,
  JetStreamApiError,
  type JetStreamManager,
  type MsgRequest,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { artifactSchema } from '@gantry/contracts/tasks/task-status';
import type { ArtifactManifest, ArtifactStore, ChunkKey } from '../../application/artifact-store.port.js';
import { artifactErrors } from '../../domain/task/task.errors.js';

const STREAM = streams.artifacts.name;
const PUBLISH_TIMEOUT_MS = 20_000;

/** Chunks as `[sequence, bytes]`, because a manifest of 10 GiB names 20,000 of them in one message. */
const manifestSchema = artifactSchema.extend({
  taskId: z.string(),
  chunks: z.array(z.tuple([z.number(), z.number()])),
});

/**
 * Artifacts as messages of stream ARTIFACTS: the chunks on `artifacts.<task>.<artifact>`, the manifest on
 * `artifacts.<task>.<artifact>.manifest`.
 */
export class JetStreamArtifactStore implements ArtifactStore {
  private manager: Promise<JetStreamManager> | undefined;

  constructor(private readonly nc: NatsConnection) {}

  async putChunk({ taskId, attempt, artifactId, offset }: ChunkKey, bytes: Uint8Array): Promise<number> {
    const { sequence } = await publishBytes(this.nc, subjects.artifact(taskId, artifactId), bytes, {
      msgId: `${artifactId}:${offset}:${attempt}`,
      timeoutMs: PUBLISH_TIMEOUT_MS,
    }).catch(refused);
    return sequence;
  }

  async readChunk(taskId: string, artifactId: string, sequence: number): Promise<Uint8Array | undefined> {
    const message = await this.get({ seq: sequence });
    return message?.subject === subjects.artifact(taskId, artifactId) ? message.data : undefined;
  }

  async putManifest(manifest: ArtifactManifest): Promise<void> {
    const { id, sha256, taskId } = manifest;
    const chunks = manifest.chunks.map((chunk) => [chunk.sequence, chunk.sizeBytes]);
    await publishJson(
      this.nc,
      manifestSubject(taskId, id),
      { ...manifest, chunks },
      {
        msgId: `${id}:manifest:${sha256}`,
        timeoutMs: PUBLISH_TIMEOUT_MS,
      },
    ).catch(refused);
  }

  async readManifest(taskId: string, artifactId: string): Promise<ArtifactManifest | undefined> {
    const message = await this.get({ last_by_subj: manifestSubject(taskId, artifactId) });
    if (message === undefined) return undefined;
    const { chunks, ...artifact } = manifestSchema.parse(JSON.parse(Buffer.from(message.data).toString('utf8')));
    return { ...artifact, chunks: chunks.map(([sequence, sizeBytes]) => ({ sequence, sizeBytes })) };
  }

  async purgeTask(taskId: string): Promise<void> {
    try {
      const jsm = await this.management();
      await jsm.streams.purge(STREAM, { filter: allOf(taskId) });
    } catch (error) {
      throw artifactErrors.unavailable(error);
    }
  }

  async holdsTask(taskId: string): Promise<boolean> {
    try {
      const jsm = await this.management();
      const info = await jsm.streams.info(STREAM, { subjects_filter: allOf(taskId) });
      return Object.keys(info.state.subjects ?? {}).length > 0;
    } catch (error) {
      throw artifactErrors.unavailable(error);
    }
  }

  private async get(query: MsgRequest): Promise<StoredMsg | undefined> {
    try {
      const jsm = await this.management();
      return (await jsm.streams.getMessage(STREAM, query)) ?? undefined;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.apiError().code === 404) return undefined;
      throw artifactErrors.unavailable(error);
    }
  }

  private management(): Promise<JetStreamManager> {
    this.manager ??= jetstreamManager(this.nc, { checkAPI: false });
    return this.manager;
  }
}

function manifestSubject(taskId: string, artifactId: string): string {
  return `${subjects.artifact(taskId, artifactId)}.manifest`;
}

function allOf(taskId: string): string {
  return `artifacts.${taskId}.>`;
}

function refused(error: unknown): never {
  throw error instanceof GantryError ? error : artifactErrors.unavailable(error);
}
