import { fileURLToPath } from 'node:url';
import { buildAll } from '../../scripts/install/build.mjs';

/** Each file starts the whole system, which builds what changed: two that start at once must not both do it. */
export default function buildOnce(): Promise<void> {
  return buildAll(fileURLToPath(new URL('../..', import.meta.url)));
}
