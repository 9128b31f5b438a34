import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/**
 * An image registry of one image (`present:1`, one layer of random bytes), which knows no other, refuses `private:*`, takes `slow:*`
 * for ever, and gives half of the layer of `stalled:1`. The engine talks to loopback addresses without TLS.
 */
export class SmallRegistry {
  /** How many layers it has given half of. */
  held = 0;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<SmallRegistry> {
    // An empty tar archive (two zero blocks) with padding enough to see progress.
    const layer = Buffer.alloc(4 * 1024 * 1024);
    const packed = gzipSync(layer, { level: 0 });
    const config = Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
        history: [],
      }),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          size: config.length,
          digest: digestOf(config),
        },
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
            size: packed.length,
            digest: digestOf(packed),
          },
        ],
      }),
    );
    const blobs = new Map([config, packed].map((blob) => [digestOf(blob), blob]));
    const server = createServer();
    const registry = new SmallRegistry(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const path = request.url ?? '';
      if (path.startsWith('/v2/slow/')) return;
      if (path.startsWith('/v2/private/')) return refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
      if (path === '/v2/') return give(response, Buffer.from('{}'), 'application/json');
      if (/^\/v2\/(present|stalled)\/manifests\/(1|sha256:)/.test(path)) {
        response.setHeader('docker-content-digest', digestOf(manifest));
        return give(response, manifest, 'application/vnd.docker.distribution.manifest.v2+json');
      }
      const blob = blobs.get(path.slice(path.lastIndexOf('/') + 1));
      if (blob === packed && path.startsWith('/v2/stalled/')) {
        registry.held += 1;
        return give(response, blob, 'application/octet-stream', blob.length / 2);
      }
      if (blob !== undefined) return give(response, blob, 'application/octet-stream');
      return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** `most`: so many bytes of it, and then nothing. */
function give(response: ServerResponse, bytes: Buffer, type: string, most = bytes.length): void {
  response.writeHead(200, {
    'content-type': type,
    'content-length': bytes.length,
    'docker-distribution-api-version': 'registry/2.0',
  });
  if (most < bytes.length) response.write(bytes.subarray(0, most));
  else response.end(bytes);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ code, message }] });
  const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="test"' } : {};
  response.writeHead(status, {
    'content-type': 'application/json',
    'docker-distribution-api-version': 'registry/2.0',
    ...challenge,
  });
  response.end(body);
}
