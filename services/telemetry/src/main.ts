import 'reflect-metadata';
import { bootService } from '@gantry/jetstream/nest/boot-service';
import { giveWay } from '@gantry/nest-platform/give-way';
import { readEnvironment } from './environment.js';
import { TelemetryModule } from './telemetry.module.js';

const environment = readEnvironment();
giveWay(environment.GANTRY_TELEMETRY_NICENESS);
await bootService({ name: 'telemetry', environment, module: TelemetryModule.register(environment) });
