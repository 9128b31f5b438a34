/** The tasks service as the agent sees it when it stores files. Errors are `GantryError`s. */
export interface ArtifactService {
  putChunk(key: ArtifactKey & { offset: number }, bytes: Uint8Array): Promise<{ sequence: number }>;
  commit(
    artifact: ArtifactKey & {
      path: string;
      sizeBytes: number;
      sha256: string;
      mediaType: string;
      chunks: { sequence: number; sizeBytes: number }[];
    },
  ): Promise<void>;
}

export interface ArtifactKey {
  taskId: string;
  attempt: number;
  artifactId: string;
}
