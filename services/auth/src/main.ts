import 'reflect-metadata';
import { bootService } from '@gantry/jetstream/nest/boot-service';
import { AuthModule } from './auth.module.js';
import { readEnvironment } from './environment.js';

const environment = readEnvironment();
await bootService({ name: 'auth', environment, module: AuthModule.register(environment) });
