import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GantryClient } from '@gantry/client/gantry-client';
import { freePort } from '@gantry/testing/free-port';
import { DEMO_IMAGE, ensureDemoImage, privateEngine } from '../../../scripts/parts/container-engine.mjs';
import { prepareNats } from '../../../scripts/parts/nats.mjs';
import { replicaCounts } from '../../../scripts/parts/replicas.mjs';
import { serviceProcesses, workerProcess } from '../../../scripts/parts/services.mjs';
import { readCredentials } from '../../../scripts/supervisor/data-folder.mjs';
import { ManagedProcess, type ProcessDefinition } from '../../../scripts/supervisor/managed-process.mjs';
import { breakAgent, type Breakage } from './broken-agent.js';
import { ChaosClocks } from './chaos-clocks.js';
import { ChaosNetwork } from './chaos-network.js';
import { endShims } from './engine-shims.js';
import { endKeepers } from './lease-keepers.js';
import { removeTaskNetworks } from './task-networks.js';
import { prepareWitness, type WitnessMounts } from './witness-mounts.js';
import { queues, type Queue } from './workload.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const PASSWORD = 'a-long-chaos-password';
const STOP_GRACE_MS = 3_000;
/** An agent logs this just before it begins to watch over leases. */
const AGENT_GUARDS = '"msg":"runtime chosen"';
/** A user of the broker that may do anything: fills streams. */
const OBSERVER = 'chaos';

export interface WorldOptions {
  readonly leaseMs: number;
  /** Run agents that are broken on purpose. */
  readonly breakage?: Breakage;
  /** Processes of each service; of telemetry always one, because the embedded ClickHouse belongs to one process. */
  readonly replicas?: number;
}

interface Agent {
  /** As parts are called in plans and reports. */
  readonly name: string;
  /** Unique on the machine: containers and control groups are found by it. */
  readonly id: string;
  readonly queue: Queue;
}

/** The whole system as `npm start` runs it, with several agents, each in a network namespace of its own. */
export class ChaosWorld {
  private readonly parts = new Map<string, ManagedProcess>();
  private readonly whenBack = new Map<string, (() => void)[]>();
  private readonly log: fs.WriteStream;
  private clients: { readonly writer: GantryClient; readonly reader: GantryClient } | undefined;
  private serviceNames: readonly string[] = [];
  readonly image = DEMO_IMAGE;
  readonly agents: readonly Agent[];

  private constructor(
    readonly folder: string,
    readonly network: ChaosNetwork,
    readonly witness: WitnessMounts,
    readonly clocks: ChaosClocks | undefined,
    agents: readonly Agent[],
  ) {
    this.agents = agents;
    this.log = fs.createWriteStream(path.join(folder, 'parts.log'), { flags: 'a' });
  }

  dockerHost = '';
  private natsUrl = '';
  private observerPassword = '';

  /** Who submits and who reads back begin with different gateways where there are several, and go to the next when one fails. */
  get api(): { readonly writer: GantryClient; readonly reader: GantryClient } {
    if (this.clients === undefined) throw new Error('The system has not been started.');
    return this.clients;
  }

  /** Every process of every service. */
  get services(): readonly string[] {
    return this.serviceNames;
  }

  get broker(): { url: string; user: string; password: string } {
    return { url: this.natsUrl, user: OBSERVER, password: this.observerPassword };
  }

  /** `clocks`: give each part a time of day that can be set, which slows its looks at the clock down. */
  static create(clocks: boolean): ChaosWorld {
    if (process.getuid?.() !== 0)
      throw new Error('The chaos harness makes network namespaces and starts a Docker engine: run it as root.');
    const tag = randomBytes(3).toString('hex');
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gantry-chaos-'));
    fs.chmodSync(folder, 0o755);
    const agents = [queues.containers, queues.containers, queues.processes, queues.processes].map(
      (queue, index): Agent => ({ name: `agent-${index + 1}`, id: `chaos-${tag}-${index + 1}`, queue }),
    );
    const network = ChaosNetwork.create(
      tag,
      agents.map(({ name }) => name),
    );
    return new ChaosWorld(
      folder,
      network,
      prepareWitness(folder),
      clocks ? new ChaosClocks(path.join(folder, 'clocks')) : undefined,
      agents,
    );
  }

  async start({ leaseMs, breakage, replicas = 1 }: WorldOptions): Promise<void> {
    const agentMain = breakage === undefined ? undefined : breakAgent(root, this.folder, breakage);
    const data = path.join(this.folder, 'data');
    fs.mkdirSync(data);
    const credentials = readCredentials(data);
    const nats = await prepareNats({
      root,
      data,
      credentials,
      host: this.network.address,
      workers: this.agents.map(({ id }) => id),
      observers: [OBSERVER],
    });
    const engine = await privateEngine('dockerd', data, [...this.witness.engineOptions]);
    this.natsUrl = nats.url;
    this.observerPassword = credentials.passwordOf(OBSERVER);
    this.dockerHost = engine.host;
    await this.startAll([nats.process, engine.process]);
    const apiPort = await freePorts(replicas);
    const login = (user: string) => ({ user, password: credentials.passwordOf(user) });
    const settings = {
      ...{ root, data, apiPort, webPort: 3_000, natsUrl: nats.url, dockerHost: engine.host, login },
      replicas: replicaCounts({ GANTRY_REPLICAS: String(replicas) }).counts,
      ticketSecret: credentials.passwordOf('download-tickets'),
    };
    const serviceEnv = {
      GANTRY_LEASE_MS: String(leaseMs),
      GANTRY_ADMIN_PASSWORD: PASSWORD,
      // Tasks that end early in the run have left TASKS before it is over: what is checked at the end comes from ARCHIVE too.
      GANTRY_ARCHIVE_AFTER_SECONDS: '5',
      GANTRY_ARCHIVE_REMOVE_AFTER_SECONDS: '60',
      // A service that is killed begins with what an earlier life saved.
      GANTRY_SNAPSHOT_AFTER_SECONDS: '5',
      // Packed together, the few tasks of such a run may all be on agents that nothing happens to.
      ...(breakage === undefined ? {} : { GANTRY_SCHEDULER_POLICY: 'spread' }),
    };
    const definitions = serviceProcesses({ ...settings, workerId: credentials.workerId });
    this.serviceNames = definitions.map(({ name }) => name);
    await this.startAll(
      definitions.map((part) => ({
        ...part,
        env: { ...part.env, ...serviceEnv, ...this.clocks?.environmentOf(part.name) },
      })),
    );
    const apiUrls = Array.from({ length: replicas }, (_, index) => `http://127.0.0.1:${apiPort + index}`);
    const apiUrl = apiUrls.join(',');
    const token = await new GantryClient({ apiUrl }).logIn('admin@gantry.local', PASSWORD);
    const admin = new GantryClient({ apiUrl, credentials: () => token.accessToken });
    const { key } = await admin.createApiKey('chaos');
    this.clients = {
      writer: new GantryClient({ apiUrl, credentials: () => key }),
      reader: new GantryClient({ apiUrl: apiUrls.toReversed().join(','), credentials: () => key }),
    };
    await ensureDemoImage(engine.host, data);
    await this.startAll(
      this.agents.map((agent) => {
        const own = { ...settings, workerId: agent.id, login: () => login(`worker-${agent.id}`) };
        return this.agentProcess(agent, workerProcess(own), agentMain);
      }),
    );
  }

  part(name: string): ManagedProcess {
    const part = this.parts.get(name);
    if (part === undefined) throw new Error(`There is no part ${name}.`);
    return part;
  }

  /** Resolves when the part serves again after its next end; an agent serves once it watches over leases, broker or not. */
  back(name: string): Promise<void> {
    return new Promise((resolve) => this.whenBack.set(name, [...(this.whenBack.get(name) ?? []), resolve]));
  }

  get partNames(): string[] {
    return [...this.parts.keys()];
  }

  async stop(): Promise<void> {
    const engine = this.parts.get('docker');
    const others = [...this.parts.values()].filter((part) => part !== engine).reverse();
    await Promise.all(others.map((part) => part.stop(STOP_GRACE_MS)));
    if (engine !== undefined)
      await removeTaskNetworks(
        this.dockerHost,
        this.agents.map(({ id }) => id),
      );
    await engine?.stop(4 * STOP_GRACE_MS);
    if (engine !== undefined) endShims(this.engineFolder);
    endKeepers(this.agents.map(({ id }) => id));
    this.network.remove();
    await new Promise((resolve) => this.log.end(resolve));
  }

  /** Only after `stop`. */
  remove(): void {
    const folders = [this.folder, ...(this.dockerHost === '' ? [] : [this.engineFolder])];
    unmountBelow(folders);
    for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
  }

  private get engineFolder(): string {
    return path.dirname(this.dockerHost.slice('unix://'.length));
  }

  private async startAll(definitions: readonly ProcessDefinition[]): Promise<void> {
    await Promise.all(
      definitions.map((definition) => {
        const write = (name: string, text: string): void => {
          this.log.write(`${new Date().toISOString()} ${os.uptime().toFixed(2)} ${name} ${text}\n`);
          if (text !== 'ready again' && !text.includes(AGENT_GUARDS)) return;
          for (const tell of this.whenBack.get(name) ?? []) tell();
          this.whenBack.delete(name);
        };
        const part = new ManagedProcess(definition, { line: write, notice: write, message: () => undefined });
        this.parts.set(definition.name, part);
        return part.start();
      }),
    );
  }

  /** `ip netns exec` would hide the control groups; entering the network alone hides nothing. */
  private agentProcess(agent: Agent, part: ProcessDefinition, main: string | undefined): ProcessDefinition {
    const enter = `exec nsenter --net=${this.network.namespaceFile(agent.name)} "$@"`;
    const sandboxed = agent.queue === queues.processes;
    const program = [part.command, ...(main === undefined ? part.args : [...part.args.slice(0, -1), main])];
    const shell = [
      '/bin/sh',
      '-c',
      sandboxed ? `${this.witness.hideSandboxTool} && ${enter}` : enter,
      'agent',
      ...program,
    ];
    const command = sandboxed ? ['unshare', '--mount', '--propagation', 'private', ...shell] : shell;
    return {
      ...part,
      name: agent.name,
      command: command[0] ?? '',
      args: command.slice(1),
      env: {
        ...part.env,
        ...this.clocks?.environmentOf(agent.name),
        GANTRY_DATA: path.join(this.folder, agent.name),
        GANTRY_WORKER_NAME: agent.name,
        GANTRY_WORKER_RUNTIME: sandboxed ? 'process' : 'docker',
        GANTRY_WORKER_QUEUES: agent.queue,
        GANTRY_WORKER_CPUS: '8',
        GANTRY_WORKER_MAX_TASKS: '24',
        GANTRY_WORKER_STOP_TASKS_ON_EXIT: 'false',
      },
    };
  }
}

/** So many in a row; the first of them. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await freePort();
    const others = Array.from({ length: count - 1 }, (_, index) => isFree(first + index + 1));
    if ((await Promise.all(others)).every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** An engine that was killed leaves its mounts behind; deepest first. */
function unmountBelow(folders: readonly string[]): void {
  const mounts = fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => folders.some((folder) => place.startsWith(`${folder}/`)));
  for (const place of mounts.sort((a, b) => b.length - a.length)) execFileSync('umount', ['--lazy', place]);
}
