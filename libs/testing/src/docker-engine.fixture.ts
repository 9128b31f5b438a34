import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.js';

export interface DockerEngineFixture {
  readonly socketPath: string;
  stop(): Promise<void>;
}

/** An engine that nobody else uses, so that a test may kill it. */
export interface PrivateEngineFixture extends DockerEngineFixture {
  /** SIGKILL; with `liveRestore` its containers go on. Resolves when nothing of it is left but them. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';

/**
 * A real Docker engine: the one of DOCKER_HOST or of the default socket if it answers, else a private one (needs root) whose data,
 * sockets and bridge are its own and which ends with the test process at the latest.
 */
export async function startDockerEngine(): Promise<DockerEngineFixture> {
  const host = process.env['DOCKER_HOST'];
  const present = host?.startsWith('unix://') === true ? host.slice('unix://'.length) : DEFAULT_SOCKET;
  if (await answers(present)) return { socketPath: present, stop: () => Promise.resolve() };
  return startPrivateEngine();
}

/** `liveRestore`: containers outlive the engine; an engine that is to join a swarm must not have it. */
export async function startPrivateEngine({ liveRestore = true } = {}): Promise<PrivateEngineFixture> {
  const folder = temporaryFolder('gantry-engine');
  const socketPath = join(folder, 'docker.sock');
  const execRoot = join(folder, 'exec');
  const bridge = makeBridge();
  const options = [
    ...['--data-root', join(folder, 'data'), '--exec-root', execRoot, '--pidfile', join(folder, 'docker.pid')],
    ...['--host', `unix://${socketPath}`, '--bridge', bridge, '--iptables=false'],
    ...(liveRestore ? ['--live-restore'] : []),
  ];
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn('dockerd', options, { stdio: ['ignore', 'ignore', 'pipe'] });
    await untilReady(child, socketPath);
  };
  const atExit = (): void => {
    child.kill('SIGTERM');
    removeBridge(bridge);
  };
  process.once('exit', atExit);
  try {
    await start();
  } catch (error) {
    process.removeListener('exit', atExit);
    atExit();
    throw error;
  }
  return {
    socketPath,
    start,
    async kill() {
      const containerd = Number(readFileSync(join(execRoot, 'containerd', 'containerd.pid'), 'utf8'));
      child.kill('SIGKILL');
      while (existsSync(`/proc/${containerd}`)) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async stop() {
      process.removeListener('exit', atExit);
      await removeAllContainers(socketPath);
      // Else their bridges stay on the machine, and with about thirty of them no engine here finds addresses for another network.
      await engineCall(socketPath, 'POST', '/networks/prune');
      await end(child);
      removeBridge(bridge);
      unmountBelow(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Rejects if it ended or does not answer within a minute. */
async function untilReady(child: ChildProcess, socketPath: string): Promise<void> {
  let output = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    output = `${output}${bytes.toString()}`.slice(-4_000);
  });
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = performance.now() + 60_000;
  while (!(await answers(socketPath))) {
    if (failure !== undefined || child.exitCode !== null || performance.now() > deadline) {
      throw new Error(
        `dockerd did not start (these tests need a Docker engine, or root to start one): ${failure?.message ?? output}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A second engine on the same host must not share `docker0` with the first. */
function makeBridge(): string {
  const name = `gtyt${randomBytes(4).toString('hex')}`;
  execFileSync('ip', ['link', 'add', name, 'type', 'bridge']);
  execFileSync('ip', ['addr', 'add', `10.${randomInt(160, 250)}.${randomInt(0, 256)}.1/24`, 'dev', name]);
  execFileSync('ip', ['link', 'set', name, 'up']);
  return name;
}

function removeBridge(name: string): void {
  if (existsSync(`/sys/class/net/${name}`)) execFileSync('ip', ['link', 'delete', name]);
}

/** An engine that was killed leaves mounts. */
function unmountBelow(folder: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) execFileSync('umount', [path]);
}

async function removeAllContainers(socketPath: string): Promise<void> {
  const listed = await engineCall(socketPath, 'GET', '/containers/json?all=1');
  for (const { Id } of JSON.parse(listed.body) as { Id: string }[]) {
    await engineCall(socketPath, 'DELETE', `/containers/${Id}?force=1&v=1`);
  }
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

async function answers(socketPath: string): Promise<boolean> {
  return (await engineCall(socketPath, 'GET', '/_ping').catch(() => undefined))?.status === 200;
}

function engineCall(
  socketPath: string,
  method: string,
  path: string,
  body?: Buffer,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, method, path, ...(body === undefined ? {} : { headers: { 'content-type': 'application/x-tar' } }) },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** What a dynamically linked program of this machine opens at its start, and itself. */
function withLibraries(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [program, ...[...listed.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? '')];
}

/**
 * Makes an image of nothing but the machine's static busybox and its applets, since no registry may be in reach; and of `programs` of this
 * machine, by their paths.
 */
export async function importBusyboxImage(
  socketPath: string,
  tag: string,
  programs: readonly string[] = [],
): Promise<void> {
  const busybox = readFileSync('/bin/busybox');
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter((applet) => applet !== '' && applet !== 'busybox');
  const archive = Buffer.concat([
    ...['bin', 'tmp', 'output', 'etc'].map((name) => tarEntry({ name: `${name}/`, type: '5', mode: 0o755 })),
    tarEntry({ name: 'bin/busybox', type: '0', mode: 0o755, content: busybox }),
    ...applets.map((applet) => tarEntry({ name: `bin/${applet}`, type: '2', mode: 0o777, link: 'busybox' })),
    ...[...new Set(programs.flatMap(withLibraries))].map((path) =>
      tarEntry({ name: path.slice(1), type: '0', mode: 0o755, content: readFileSync(path) }),
    ),
    Buffer.alloc(1_024),
  ]);
  const colon = tag.lastIndexOf(':');
  const [repo, version] = colon > tag.lastIndexOf('/') ? [tag.slice(0, colon), tag.slice(colon + 1)] : [tag, 'latest'];
  const query = new URLSearchParams({ fromSrc: '-', repo, tag: version });
  query.append('changes', 'ENV PATH=/bin');
  query.append('changes', 'CMD ["sh"]');
  const { status, body } = await engineCall(socketPath, 'POST', `/images/create?${query.toString()}`, archive);
  if (status !== 200 || body.includes('"error"')) throw new Error(`The test image could not be imported: ${body}`);
}

interface TarEntry {
  readonly name: string;
  /** 0 = file, 2 = symbolic link, 5 = folder. */
  readonly type: '0' | '2' | '5';
  readonly mode: number;
  readonly content?: Buffer;
  readonly link?: string;
}

/** One entry of the ustar format: a header block of 512 bytes, then the content padded to whole blocks. */
function tarEntry({ name, type, mode, content = Buffer.alloc(0), link = '' }: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\u000000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding]);
}
