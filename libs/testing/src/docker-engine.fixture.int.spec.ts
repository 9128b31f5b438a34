import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { expect, it } from 'vitest';
import { startPrivateEngine } from './docker-engine.fixture.js';

function createNetwork(socketPath: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request({ socketPath, method: 'POST', path: '/networks/create', headers }, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () => resolve((JSON.parse(body) as { Id: string }).Id)).on('error', reject);
    });
    call.on('error', reject).end(JSON.stringify({ Name: name, Driver: 'bridge' }));
  });
}

it('leaves no bridge of a network on the machine', async () => {
  const engine = await startPrivateEngine();
  let bridge: string;
  try {
    const id = await createNetwork(engine.socketPath, 'left-behind');
    bridge = `/sys/class/net/br-${id.slice(0, 12)}`;
    expect(existsSync(bridge)).toBe(true);
  } finally {
    await engine.stop();
  }
  expect(existsSync(bridge)).toBe(false);
});
