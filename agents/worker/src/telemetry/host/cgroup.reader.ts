import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldOf, parseBlockIo, parseCgroupPaths } from './cgroup.parser.js';
import { parseNetwork } from './proc.parser.js';

export interface CgroupReading {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly processes: number;
  readonly diskRead: number;
  readonly diskWritten: number;
  readonly networkReceived: number;
  readonly networkSent: number;
}

interface Folders {
  readonly cpu: string;
  readonly memory: string;
  readonly io: string | undefined;
  readonly pids: string | undefined;
  readonly version: 1 | 2;
}

/**
 * Reads what a container uses straight from the kernel's files (both cgroup versions): a tenth of the cost of the engine's
 * statistics stream. Needs the host's process and cgroup file systems.
 */
export class CgroupReader {
  private constructor(
    private readonly pid: number,
    private readonly folders: Folders,
  ) {}

  /** Undefined if the process is gone or its files are out of reach. */
  static async open(pid: number, root = '/sys/fs/cgroup', proc = '/proc'): Promise<CgroupReader | undefined> {
    const text = await readFile(`${proc}/${pid}/cgroup`, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const paths = parseCgroupPaths(text);
    const v1 = async (controller: string, file: string): Promise<string | undefined> => {
      const place = paths.get(controller);
      if (place === undefined) return undefined;
      for (const mount of new Set([place.hierarchy, controller])) {
        const folder = join(root, mount, place.path);
        if (await exists(join(folder, file))) return folder;
      }
      return undefined;
    };
    const memory = await v1('memory', 'memory.usage_in_bytes');
    const cpu = await v1('cpuacct', 'cpuacct.usage');
    if (memory !== undefined && cpu !== undefined) {
      const io = await v1('blkio', 'blkio.throttle.io_service_bytes');
      return new CgroupReader(pid, { version: 1, memory, cpu, io, pids: await v1('pids', 'pids.current') });
    }
    const unified = paths.get('');
    if (unified === undefined) return undefined;
    const folder = join(root, unified.path);
    if (!(await exists(join(folder, 'memory.current')))) return undefined;
    return new CgroupReader(pid, { version: 2, memory: folder, cpu: folder, io: folder, pids: folder });
  }

  /** Undefined once the container is gone. */
  async read(): Promise<CgroupReading | undefined> {
    const { version, cpu, memory, io, pids } = this.folders;
    try {
      const [cpuText, usage, stat, peak, ioText, pidsText, network] = await Promise.all([
        readFile(join(cpu, version === 1 ? 'cpuacct.usage' : 'cpu.stat'), 'utf8'),
        readFile(join(memory, version === 1 ? 'memory.usage_in_bytes' : 'memory.current'), 'utf8'),
        readFile(join(memory, 'memory.stat'), 'utf8'),
        // `memory.peak` is younger than cgroup v2 itself.
        readFile(join(memory, version === 1 ? 'memory.max_usage_in_bytes' : 'memory.peak'), 'utf8').catch(() => '0'),
        io === undefined
          ? ''
          : readFile(join(io, version === 1 ? 'blkio.throttle.io_service_bytes' : 'io.stat'), 'utf8').catch(() => ''),
        pids === undefined ? '0' : readFile(join(pids, 'pids.current'), 'utf8').catch(() => '0'),
        readFile(`/proc/${this.pid}/net/dev`, 'utf8').catch(() => ''),
      ]);
      const inactive = fieldOf(stat, version === 1 ? 'total_inactive_file' : 'inactive_file') ?? 0;
      // The file cache that the kernel would drop first is not the task's need; the engine's own figure leaves it out too.
      const memoryBytes = Math.max(0, Number(usage) - inactive);
      const { read, written } = parseBlockIo(ioText);
      const { received, sent } = parseNetwork(network, 'all');
      return {
        cpuSeconds: version === 1 ? Number(cpuText) / 1e9 : (fieldOf(cpuText, 'usage_usec') ?? 0) / 1e6,
        memoryBytes,
        peakMemoryBytes: Math.max(memoryBytes, Number(peak)),
        processes: Number(pidsText),
        diskRead: read,
        diskWritten: written,
        networkReceived: received,
        networkSent: sent,
      };
    } catch {
      return undefined;
    }
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
