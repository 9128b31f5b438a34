import 'reflect-metadata';
import { bootService } from '@gantry/jetstream/nest/boot-service';
import { readEnvironment } from './environment.js';
import { TasksModule } from './tasks.module.js';

await bootService({ name: 'tasks', environment: readEnvironment(), module: TasksModule });
