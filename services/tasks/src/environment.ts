import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';
import { z } from 'zod';

const schema = z.object(baseEnvironmentShape);
export type Environment = z.output<typeof schema>;

export const readEnvironment = (source?: NodeJS.ProcessEnv): Environment => parseEnvironment(schema, source);
