import type { ParsedInputOf, RequestContext } from '@gantry/contracts/messaging/request';
import type { getArtifact, readArtifact } from '@gantry/contracts/tasks/task-requests';
import type { Artifact } from '@gantry/contracts/tasks/task-status';
import { artifactErrors } from '../domain/task/task.errors.js';
import type { ArtifactManifest, ArtifactStore } from './artifact-store.port.js';
import { BoundedCache } from './bounded-cache.js';
import { requireVisibility, requireVisible } from './task-access.js';
import type { TaskCommandExecutor } from './task-command.executor.js';

interface Located {
  readonly manifest: ArtifactManifest;
  /** Offset in the file at which each chunk begins. */
  readonly begins: readonly number[];
}

export class ReadArtifactHandler {
  private readonly located = new BoundedCache<Located>(200);
  /** A reader walks forward in steps that need not match the chunks: keep the last ones (8 MiB) instead of reading them again. */
  private readonly chunks = new BoundedCache<Uint8Array>(16);

  constructor(
    private readonly executor: TaskCommandExecutor,
    private readonly artifacts: ArtifactStore,
  ) {}

  async describe(input: ParsedInputOf<typeof getArtifact>, context: RequestContext): Promise<Artifact> {
    requireVisibility(context.actor, input.visibleTo);
    const task = requireVisible(await this.executor.view(input.taskId), input.visibleTo);
    const artifact = task.artifacts.find((known) => known.id === input.artifactId);
    if (artifact === undefined) throw artifactErrors.notFound();
    return artifact;
  }

  /** Bytes `[offset, offset + length)`, fewer (also none) at the end of the file. */
  async read(input: ParsedInputOf<typeof readArtifact>, context: RequestContext): Promise<Uint8Array> {
    const artifact = await this.describe(input, context);
    const end = Math.min(input.offset + input.length, artifact.sizeBytes);
    if (input.offset >= end) return new Uint8Array(0);
    const { manifest, begins } = await this.locate(input.taskId, artifact);
    const result = new Uint8Array(end - input.offset);
    for (let index = lastBeginAtOrBefore(begins, input.offset); index < begins.length; index += 1) {
      const begin = begins[index];
      const chunk = manifest.chunks[index];
      if (begin === undefined || chunk === undefined || begin >= end) break;
      const bytes = await this.chunk(manifest, chunk.sequence);
      const from = Math.max(input.offset - begin, 0);
      result.set(bytes.subarray(from, Math.min(end - begin, bytes.length)), begin + from - input.offset);
    }
    return result;
  }

  private async locate(taskId: string, artifact: Artifact): Promise<Located> {
    const key = `${artifact.id}:${artifact.sha256}`;
    const known = this.located.get(key);
    if (known !== undefined) return known;
    const manifest = await this.artifacts.readManifest(taskId, artifact.id);
    if (manifest === undefined || manifest.sha256 !== artifact.sha256) throw artifactErrors.notFound();
    let next = 0;
    const begins = manifest.chunks.map(({ sizeBytes }) => {
      const begin = next;
      next += sizeBytes;
      return begin;
    });
    const located = { manifest, begins };
    this.located.set(key, located);
    return located;
  }

  private async chunk({ taskId, id }: ArtifactManifest, sequence: number): Promise<Uint8Array> {
    const key = String(sequence);
    const known = this.chunks.get(key);
    if (known !== undefined) return known;
    const bytes = await this.artifacts.readChunk(taskId, id, sequence);
    if (bytes === undefined) throw artifactErrors.notFound();
    this.chunks.set(key, bytes);
    return bytes;
  }
}

function lastBeginAtOrBefore(begins: readonly number[], offset: number): number {
  let low = 0;
  let high = begins.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((begins[middle] ?? Infinity) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
