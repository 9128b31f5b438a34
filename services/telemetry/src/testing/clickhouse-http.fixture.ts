import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { removeFolder, temporaryFolder } from '@gantry/testing/temporary-folder';
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';

/**
 * A ClickHouse server for tests of the remote path and of outages: the HTTP interface as far as the client uses it, in front of the
 * real engine. `stop` closes the port and keeps the data.
 */
export class ClickHouseHttp {
  private server: Server | undefined;
  private readonly path = temporaryFolder('gantry-clickhouse-http');
  private readonly engine: ClickHouseClient = createClient({
    connection: createChdbConnection({ path: this.path }) as never,
  });

  private constructor(readonly port: number) {}

  static async create(port: number): Promise<ClickHouseHttp> {
    return Promise.resolve(new ClickHouseHttp(port));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    // Parameters of a query come in its address, of which a ClickHouse server takes 1 MiB.
    const server = createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => {
      this.answer(request).then(
        (body) => response.writeHead(200).end(body),
        (error: unknown) => {
          const {
            code = '0',
            type = 'UNKNOWN',
            message = '',
          } = error as { code?: string; type?: string; message?: string };
          response.writeHead(500).end(`Code: ${code}. DB::Exception: ${message} (${type})`);
        },
      );
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    if ((server.address() as AddressInfo).port !== this.port) throw new Error('port taken');
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** Everything is gone, as after the loss of a disk. */
  async wipe(database: string): Promise<void> {
    await this.engine.command({ query: `DROP DATABASE ${database}` });
  }

  async close(): Promise<void> {
    await this.stop();
    await this.engine.close();
    removeFolder(this.path);
  }

  private async answer(request: IncomingMessage): Promise<Buffer> {
    const { searchParams } = new URL(request.url ?? '/', this.url);
    const body = await text(request);
    const inUrl = searchParams.get('query');
    const query = inUrl === null ? body : `${inUrl}\n${body}`;
    const parameters = Object.fromEntries(
      [...searchParams]
        .filter(([key]) => key.startsWith('param_'))
        .map(([key, value]) => [key.slice(6), unescaped(value)]),
    );
    const database = searchParams.get('database') ?? 'default';
    const { stream } = await this.engine.exec({ query: `USE ${database}; ${query}`, query_params: parameters });
    return buffer(stream);
  }
}

/** The client sends text parameters in the escaped form of TSV; the embedded engine takes them as they are. */
function unescaped(value: string): string {
  if (value.startsWith('[')) return value;
  const codes: Record<string, string> = { t: '\t', n: '\n', r: '\r', '0': '\0' };
  return value.replace(/\\(.)/gs, (_, code: string) => codes[code] ?? code);
}
