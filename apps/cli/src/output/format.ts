import pc from 'picocolors';
import type { Task } from '@gantry/client/gantry-client';

/** "3.2 s", "4 min 10 s", "2 h 5 min". */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Binary units: "512 B", "1.5 KiB", "50.0 MiB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('T', ' ').slice(0, 19);
}

const STATUS_COLOURS: Record<Task['status'], (text: string) => string> = {
  queued: pc.yellow,
  assigned: pc.cyan,
  starting: pc.cyan,
  running: pc.blue,
  succeeded: pc.green,
  failed: pc.red,
  cancelled: pc.gray,
  timed_out: pc.red,
};

export function formatStatus(status: Task['status']): string {
  return STATUS_COLOURS[status](status);
}

export function taskDuration(task: Task, now: number): number | undefined {
  return task.startedAt == null ? undefined : (task.finishedAt ?? now) - task.startedAt;
}

/** One line that says how a task ended or where it stands. */
export function describeOutcome(task: Task): string {
  const exit = task.exitCode == null ? '' : ` (exit code ${task.exitCode})`;
  const why = task.failure == null ? '' : `: ${task.failure.message}`;
  return `${formatStatus(task.status)}${exit}${why}`;
}
