import { createRequire } from 'node:module';

/** Of Gantry, all of whose packages have the same. Found by the package's name, which is the same for the sources and for a bundle. */
export const { version } = createRequire(import.meta.url)('@gantry/nest-platform/package.json') as { version: string };
