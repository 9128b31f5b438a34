import 'reflect-metadata';
import { bootService } from '@gantry/jetstream/nest/boot-service';
import { readEnvironment } from './environment.js';
import { SchedulerModule } from './scheduler.module.js';

const environment = readEnvironment();
await bootService({ name: 'scheduler', environment, module: SchedulerModule.register(environment) });
