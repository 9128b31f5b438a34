export interface ArchiveMetrics {
  archived(tasks: number, bytes: number): void;
  removed(messages: number): void;
}
