import { stat } from 'node:fs/promises';
import type { ContainerExit } from '../../domain/attempt.state.js';

/** What the engine says of a container that does not run. */
export interface EndedState {
  readonly ExitCode: number;
  readonly OOMKilled: boolean;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}

/** An engine that starts looks at its containers within this time, milliseconds. */
const RESTORING_MS = 120_000;
/** What engine and containerd say of an end that they did not see. */
const UNKNOWN = 255;
/** 128 + SIGKILL. */
export const KILLED = 137;

/**
 * How a container ended, and whether the engine can know. An engine that starts and does not find a container that it had running
 * makes its end up: "code 255, just now" if containerd has forgotten the process, "code 0, just now" if containerd has forgotten the
 * container as well. An end by SIGKILL it takes over from containerd, but not whether that was for want of memory. So the word of an engine that was killed in between counts only where it cannot be made up: its container
 * began under the same engine, or somebody saw it run under this one (`seenRunning`), or it ended before this engine began.
 *
 * @param engineSince when this engine began, by the clock that it writes its own times by; undefined if nobody knows.
 */
export function exitOf(state: EndedState, engineSince: number | undefined, seenRunning: boolean): ContainerExit {
  const startedAt = Date.parse(state.StartedAt);
  const finishedAt = Math.max(startedAt, Date.parse(state.FinishedAt));
  const exit = { exitCode: state.ExitCode, oomKilled: state.OOMKilled, finishedAt };
  const known =
    seenRunning || (engineSince === undefined ? state.ExitCode !== UNKNOWN : isPlausible(exit, startedAt, engineSince));
  return known ? exit : { ...exit, unseen: true };
}

function isPlausible(
  { exitCode, oomKilled, finishedAt }: ContainerExit,
  startedAt: number,
  engineSince: number,
): boolean {
  if (startedAt >= engineSince) return true;
  // That the kernel killed it for its memory is told to the engine once, and to nobody if there is none.
  if (exitCode === KILLED && !oomKilled) return finishedAt > engineSince + RESTORING_MS;
  // Whatever the time says: an engine between the one that started it and this one may have made it up.
  if (exitCode === UNKNOWN) return false;
  return exitCode !== 0 || finishedAt < engineSince || finishedAt > engineSince + RESTORING_MS;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_PID_FILE = '/var/run/docker.pid';

/**
 * When an engine on this machine began: it makes its socket when it starts, or finds one that systemd made and then writes its
 * process id. Epoch milliseconds; undefined for an engine elsewhere, and while there is none.
 */
export async function engineSince(host: string | undefined): Promise<number | undefined> {
  const socket =
    host === undefined ? DEFAULT_SOCKET : host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
  if (socket === undefined) return undefined;
  const files = socket === DEFAULT_SOCKET ? [socket, DEFAULT_PID_FILE] : [socket];
  const times = await Promise.all(
    files.map((file) =>
      stat(file)
        .then(({ mtimeMs }) => mtimeMs)
        .catch(() => undefined),
    ),
  );
  return times.reduce((latest, time) => (time !== undefined && !(time < (latest ?? 0)) ? time : latest), undefined);
}
