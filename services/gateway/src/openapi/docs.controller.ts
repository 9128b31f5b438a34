import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Controller, Get, Header, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { GantryError } from '@gantry/kernel/gantry-error';
import { version } from '@gantry/nest-platform/version';
import { authRoutes } from './auth.routes.js';
import { deadLetterRoutes } from './dead-letters.routes.js';
import { openApiDocument } from './document.js';
import { systemRoutes } from './system.routes.js';
import { taskRoutes } from './tasks.routes.js';

const require = createRequire(import.meta.url);

export const routeDescriptions = { ...authRoutes, ...taskRoutes, ...systemRoutes, ...deadLetterRoutes };

/** Inline scripts are forbidden by our own policy, so the page starts from a file. */
const start = `window.ui = SwaggerUIBundle({ url: '/api/docs/openapi.json', dom_id: '#ui', deepLinking: true });`;
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Gantry API</title>
    <link rel="stylesheet" href="/api/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="ui"></div>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/start.js"></script>
  </body>
</html>
`;
const assets: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
]);

@Controller('api/docs')
export class DocsController {
  private readonly document = openApiDocument(routeDescriptions, version);

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  html() {
    return page;
  }

  @Get('openapi.json')
  json() {
    return this.document;
  }

  @Get(':asset')
  async asset(@Param('asset') asset: string, @Res({ passthrough: true }) reply: FastifyReply) {
    if (asset === 'start.js') {
      reply.type('text/javascript; charset=utf-8');
      return start;
    }
    const type = assets.get(asset);
    if (type === undefined) throw new GantryError('HTTP.NO_SUCH_ROUTE', 'not_found', 'There is no such file.');
    reply.type(type).header('cache-control', 'public, max-age=86400');
    return readFile(require.resolve(`swagger-ui-dist/${asset}`));
  }
}
