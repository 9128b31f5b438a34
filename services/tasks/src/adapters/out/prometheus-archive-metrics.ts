import { Counter, Gauge, type Registry } from 'prom-client';
import type { ArchiveMetrics } from '../../application/archive/archive-metrics.port.js';
import type { JetStreamTaskArchive } from './jetstream-task-archive.js';

export class PrometheusArchiveMetrics implements ArchiveMetrics {
  private readonly tasks: Counter;
  private readonly bytes: Counter;
  private readonly messages: Counter;

  constructor(registry: Registry, archive: JetStreamTaskArchive) {
    const registers = [registry];
    this.tasks = new Counter({
      name: 'gantry_tasks_archived_total',
      help: 'Tasks that this process moved into ARCHIVE',
      registers,
    });
    this.bytes = new Counter({
      name: 'gantry_tasks_archived_bytes_total',
      help: 'Size of the segments that this process stored, compressed',
      registers,
    });
    this.messages = new Counter({
      name: 'gantry_tasks_archive_removed_messages_total',
      help: 'Archived commits that this process removed from TASKS',
      registers,
    });
    new Gauge({
      name: 'gantry_tasks_archive_entries',
      help: 'Entries of the index of ARCHIVE in memory, one for each task and segment',
      registers,
      collect() {
        this.set(archive.index.size);
      },
    });
    new Gauge({
      name: 'gantry_tasks_archive_index_bytes',
      help: 'Memory of the index of ARCHIVE',
      registers,
      collect() {
        this.set(archive.index.bytes);
      },
    });
  }

  archived(tasks: number, bytes: number): void {
    this.tasks.inc(tasks);
    this.bytes.inc(bytes);
  }

  removed(messages: number): void {
    this.messages.inc(messages);
  }
}
