import 'reflect-metadata';
import { bootService } from '@gantry/jetstream/nest/boot-service';
import { snapshotPolicyOf } from '@gantry/jetstream/snapshot-environment';
import { readEnvironment } from './environment.js';
import { TasksModule } from './tasks.module.js';

const environment = readEnvironment();
const archive = {
  keepMs: environment.GANTRY_ARCHIVE_AFTER_SECONDS * 1_000,
  keepTasks: environment.GANTRY_ARCHIVE_KEEP_TASKS,
  removeAfterMs: environment.GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS * 1_000,
};
await bootService({
  name: 'tasks',
  environment,
  module: TasksModule.with({ archive, snapshots: snapshotPolicyOf(environment) }),
});
