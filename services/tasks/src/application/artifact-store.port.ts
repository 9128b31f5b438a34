import type { Artifact } from '@gantry/contracts/tasks/task-status';

interface ArtifactChunk {
  /** Position in stream ARTIFACTS. */
  readonly sequence: number;
  readonly sizeBytes: number;
}

/** Everything needed to read a file back: stored beside its chunks, so the stream of tasks stays small. */
export interface ArtifactManifest extends Artifact {
  readonly taskId: string;
  readonly chunks: readonly ArtifactChunk[];
}

export interface ChunkKey {
  readonly taskId: string;
  readonly attempt: number;
  readonly artifactId: string;
  readonly offset: number;
}

/** Bytes of artifacts. Every method throws a retryable `unavailable` error when the store does not answer. */
export interface ArtifactStore {
  /** The same chunk again (inside the duplicate window) is stored once. Answers its sequence. */
  putChunk(key: ChunkKey, bytes: Uint8Array): Promise<number>;
  /** Undefined if nothing of this artifact lies at the sequence. */
  readChunk(taskId: string, artifactId: string, sequence: number): Promise<Uint8Array | undefined>;
  putManifest(manifest: ArtifactManifest): Promise<void>;
  readManifest(taskId: string, artifactId: string): Promise<ArtifactManifest | undefined>;
  /** Whether anything of the task is stored. */
  holdsTask(taskId: string): Promise<boolean>;
  /** Removes all that belongs to the task. */
  purgeTask(taskId: string): Promise<void>;
}
