export const ARCHIVE_INTAKE = Symbol('telemetry.archive-intake');
export const TASKS_INTAKE = Symbol('telemetry.tasks-intake');
export const AUTH_INTAKE = Symbol('telemetry.auth-intake');
export const ASSIGN_INTAKE = Symbol('telemetry.assign-intake');
export const SCHED_INTAKE = Symbol('telemetry.sched-intake');
export const LOGS_INTAKE = Symbol('telemetry.logs-intake');
export const METRICS_INTAKE = Symbol('telemetry.metrics-intake');
/** Where exports for a backup are written; null when ClickHouse is a server. */
export const EXPORT_FOLDER = Symbol('telemetry.export-folder');
