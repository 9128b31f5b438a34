import 'reflect-metadata';
import { bootService } from '@gantry/jetstream/nest/boot-service';
import { readEnvironment } from './environment.js';
import { TelemetryModule } from './telemetry.module.js';

const environment = readEnvironment();
await bootService({ name: 'telemetry', environment, module: TelemetryModule.register(environment) });
