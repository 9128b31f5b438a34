import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@gantry/testing/free-port';
import { temporaryFolder } from '@gantry/testing/temporary-folder';
import { until } from '../system/until.js';
import { requirePeer } from './debian-package.js';

const execute = promisify(execFile);
const DAEMONS = ['slurmd', 'slurmctld', 'munged'] as const;

/** Slurm with one node on this machine: controller, node daemon and authentication in a folder and on ports of their own. */
export class SlurmCluster {
  private constructor(
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(slots: number): Promise<SlurmCluster> {
    await requirePeer(['slurmctld', 'slurmd', 'munged', 'sbatch'], ['slurm-wlm', 'munge']);
    const folder = temporaryFolder('gantry-slurm');
    for (const name of ['state', 'spool']) mkdirSync(join(folder, name));
    const config = join(folder, 'slurm.conf');
    writeFileSync(join(folder, 'munge.key'), randomBytes(1_024), { mode: 0o400 });
    writeFileSync(config, configuration(folder, slots, [await freePort(), await freePort()]));
    const cluster = new SlurmCluster(folder, { ...process.env, SLURM_CONF: config });
    try {
      const file = (name: string): string => join(folder, name);
      await execute('munged', [
        ...['--force', '--key-file', file('munge.key'), '--socket', file('munge.sock')],
        ...['--pid-file', file('munged.pid'), '--log-file', file('munged.log'), '--seed-file', file('munged.seed')],
      ]);
      await cluster.run('slurmctld', ['-c']);
      await cluster.run('slurmd', ['-N', shortName()]);
      await until(async () => (await cluster.run('sinfo', ['-h', '-o', '%T'])).trim() === 'idle', 30_000, 200);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Seconds until `count` jobs of `true`, each its own `sbatch`, have ended. */
  async runJobs(count: number, concurrency: number): Promise<number> {
    const startedAt = performance.now();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) {
        next += 1;
        await this.run('sbatch', ['--output=/dev/null', '--wrap=true']);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    await this.queueEmpty();
    return (performance.now() - startedAt) / 1_000;
  }

  /** Seconds until an array of `count` tasks, submitted by one `sbatch`, has ended. */
  async runArray(count: number): Promise<number> {
    const startedAt = performance.now();
    await this.run('sbatch', [`--array=1-${count}`, '--output=/dev/null', '--wrap=true']);
    await this.queueEmpty();
    return (performance.now() - startedAt) / 1_000;
  }

  async stop(): Promise<void> {
    for (const name of DAEMONS) {
      const file = join(this.folder, `${name}.pid`);
      if (!existsSync(file)) continue;
      const pid = Number(readFileSync(file, 'utf8'));
      process.kill(pid, 'SIGTERM');
      await until(() => Promise.resolve(!existsSync(`/proc/${pid}`)), 20_000, 50);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private queueEmpty(): Promise<void> {
    return until(async () => (await this.run('squeue', ['-h', '-o', '%i'])).trim() === '', 120_000, 50);
  }

  private async run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await execute(program, args, { env: this.env, cwd: this.folder, timeout: 60_000 });
    return stdout;
  }
}

const shortName = (): string => hostname().split('.')[0] ?? 'localhost';

function configuration(folder: string, slots: number, [controller, node]: readonly [number, number]): string {
  return [
    'ClusterName=bench',
    `SlurmctldHost=${shortName()}(127.0.0.1)`,
    ...['SlurmUser=root', 'SlurmdUser=root', 'AuthType=auth/munge', `AuthInfo=socket=${folder}/munge.sock`],
    ...[`SlurmctldPort=${controller}`, `SlurmdPort=${node}`],
    ...[`StateSaveLocation=${folder}/state`, `SlurmdSpoolDir=${folder}/spool`],
    ...['slurmctld', 'slurmd'].flatMap((name) => {
      const key = name === 'slurmd' ? 'Slurmd' : 'Slurmctld';
      return [`${key}PidFile=${folder}/${name}.pid`, `${key}LogFile=${folder}/${name}.log`];
    }),
    ...['ProctrackType=proctrack/linuxproc', 'TaskPlugin=task/none', 'JobAcctGatherType=jobacct_gather/none'],
    ...['AccountingStorageType=accounting_storage/none', 'MpiDefault=none', 'SwitchType=switch/none'],
    ...['SelectType=select/cons_tres', 'SelectTypeParameters=CR_CPU', 'ReturnToService=2', 'MinJobAge=2'],
    ...['MaxArraySize=20001', 'MaxJobCount=50000', 'SlurmdParameters=config_overrides'],
    // What Slurm's own guide for high throughput sets.
    'SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,max_rpc_cnt=150',
    `NodeName=${shortName()} NodeAddr=127.0.0.1 CPUs=${slots} State=UNKNOWN`,
    `PartitionName=bench Nodes=${shortName()} Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
}
