import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';

const SANDBOX = 'bwrap';

/** Version of the sandbox tool; undefined if this machine has none. */
export function sandboxVersion(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(SANDBOX, ['--version'], (error, stdout) => resolve(error === null ? stdout.trim() : undefined));
  });
}

export interface SandboxRequest {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly outputFolder: string;
  readonly scratchBytes: number;
  /** Drop to this user inside; undefined = the agent is not root and the sandbox keeps its user. */
  readonly task: { readonly uid: number; readonly gid: number } | undefined;
  /** `cgroup.procs` folders to join before anything else happens. */
  readonly cgroups: readonly string[];
  /** Of the agent: the process that starts the sandbox is one that the system is to keep. */
  readonly oomScore: string;
  /** Used where no control group limits memory. */
  readonly addressSpaceBytes: number | undefined;
}

/** What every program needs to start, and nothing that tells about the machine or its users. */
const SYSTEM_FILES = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/alternatives',
  '/etc/ssl',
  '/etc/ca-certificates',
  '/etc/localtime',
];
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Joins the control groups as the very first thing, so that no page and no process escapes the limits. */
const JOIN =
  'echo "$1" 2> /dev/null > /proc/self/oom_score_adj; shift; while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"';

/** The full argument vector of a sandboxed command: own namespaces, no network, read-only system, private /tmp, no privileges. */
export function sandboxCommand(request: SandboxRequest): string[] {
  const { command, env, outputFolder, scratchBytes, task, cgroups, oomScore, addressSpaceBytes } = request;
  return [
    '/bin/sh',
    '-c',
    JOIN,
    'sandbox',
    oomScore,
    ...cgroups,
    '--',
    ...(addressSpaceBytes === undefined ? [] : ['prlimit', `--as=${addressSpaceBytes}`, '--']),
    SANDBOX,
    // Everything but the user namespace: root needs none, and a dropped user must stay that user outside too.
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...(task === undefined ? ['--unshare-user-try'] : []),
    ...['--die-with-parent', '--new-session', '--hostname', 'gantry'],
    ...['--ro-bind', '/usr', '/usr'],
    ...SYSTEM_FOLDERS.flatMap(systemFolder),
    ...SYSTEM_FILES.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--perms', '1777', '--size', String(scratchBytes), '--tmpfs', '/tmp'],
    ...['--bind', outputFolder, '/output', '--chdir', '/output'],
    '--clearenv',
    ...['PATH=/usr/local/bin:/usr/bin:/bin', 'HOME=/tmp', 'LANG=C.UTF-8', ...env].flatMap(variable),
    '--',
    ...(task === undefined
      ? []
      : [
          'setpriv',
          `--reuid=${task.uid}`,
          `--regid=${task.gid}`,
          '--clear-groups',
          '--no-new-privs',
          '--inh-caps=-all',
          '--bounding-set=-all',
          '--',
        ]),
    ...command,
  ];
}

function systemFolder(path: string): string[] {
  if (!existsSync(path)) return [];
  return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

function variable(pair: string): string[] {
  const at = pair.indexOf('=');
  return ['--setenv', pair.slice(0, at), pair.slice(at + 1)];
}
