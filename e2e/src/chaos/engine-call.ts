import { request } from 'node:http';

/** One question to a Docker engine on a `unix://` address, without any client: the answer's text. */
export const engineGet = (host: string, pathname: string): Promise<string> => engineCall(host, 'GET', pathname);

export const engineDelete = (host: string, pathname: string): Promise<string> => engineCall(host, 'DELETE', pathname);

function engineCall(host: string, method: string, pathname: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: host.slice('unix://'.length), method, path: pathname, timeout: 5_000 },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => (body += text));
        response.on('end', () => resolve(body)).on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error('The container engine does not answer.')));
    call.on('error', reject).end();
  });
}
