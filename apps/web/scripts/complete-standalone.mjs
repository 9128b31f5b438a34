// `output: 'standalone'` leaves out static files, expecting a CDN. We serve everything from the one server, so that
// `node .next/standalone/apps/web/server.js` is the whole dashboard.
import { cp } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(app, '.next/standalone/apps/web');

await cp(join(app, '.next/static'), join(target, '.next/static'), { recursive: true });
if (existsSync(join(app, 'public'))) await cp(join(app, 'public'), join(target, 'public'), { recursive: true });
