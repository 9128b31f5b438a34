import { assertNever } from '@gantry/kernel/assert-never';
import type { AttemptResult, ContainerExit, Ending } from './attempt.state.js';

const SIGNALS: Record<number, string> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/**
 * A program of ours starts the command (the engine's init, or the last stage of the sandbox), so a wrong command shows as that
 * program's words and exit code.
 */
const START_FAILURES: readonly { readonly codes: readonly number[]; readonly words: RegExp }[] = [
  { codes: [126, 127], words: /^\[FATAL tini \(\d+\)\] exec (.+) failed: (.+)$/ },
  { codes: [126, 127], words: /^setpriv: failed to execute (.+): (.+)$/ },
  { codes: [1], words: /^bwrap: execvp (.+): (.+)$/ },
];

function startFailure({
  exitCode,
  lastErrorLine = '',
}: ContainerExit): { command: string; reason: string } | undefined {
  for (const { codes, words } of START_FAILURES) {
    const match = codes.includes(exitCode) ? words.exec(lastErrorLine) : null;
    if (match !== null) return { command: match[1] ?? '', reason: match[2] ?? '' };
  }
  return undefined;
}

function plainExit(exit: ContainerExit): AttemptResult {
  const { exitCode, finishedAt } = exit;
  // The engine also says "OOM killed" when only a child process died and the task itself ended well.
  if (exit.oomKilled && exitCode !== 0) {
    return {
      outcome: 'out_of_memory',
      exitCode,
      message: 'The container used more memory than it asked for and was ended by the kernel. Ask for more memory.',
      finishedAt,
    };
  }
  const failure = startFailure(exit);
  if (failure !== undefined) {
    return {
      outcome: 'failed_to_start',
      exitCode,
      message: `The command "${failure.command}" could not be started: ${failure.reason}. Check the command and the image.`,
      finishedAt,
    };
  }
  const signal = exitCode > 128 ? SIGNALS[exitCode - 128] : undefined;
  const message =
    exitCode === 0
      ? 'The container exited with code 0.'
      : `The container exited with code ${exitCode}${signal === undefined ? '' : ` (${signal})`}. Look at its log.`;
  return { outcome: 'exited', exitCode, message, finishedAt };
}

/** The result of an attempt that the agent ended; `exit` is missing if the container never ran. */
function endedResult(ending: Ending, exit: ContainerExit | undefined, at: number): AttemptResult {
  const code = exit === undefined ? {} : { exitCode: exit.exitCode };
  const finishedAt = exit?.finishedAt ?? at;
  switch (ending.cause) {
    case 'revoked': {
      const why =
        ending.reason === 'cancelled'
          ? 'on request'
          : ending.reason === 'superseded'
            ? 'because a newer attempt has taken over'
            : 'because the scheduler had lost contact with this worker';
      return {
        outcome: 'cancelled',
        ...code,
        message: exit === undefined ? `Cancelled ${why} before the container started.` : `Stopped ${why}.`,
        finishedAt,
      };
    }
    case 'timed_out':
      return {
        outcome: 'timed_out',
        ...code,
        message: `Stopped after its time limit of ${ending.limitSeconds} s. Raise timeoutSeconds if it needs longer.`,
        finishedAt,
      };
    case 'out_of_storage':
      return {
        outcome: 'exited',
        exitCode: 1,
        message: `Stopped: /output held ${ending.usedMb} MiB, over the storage limit of ${ending.limitMb} MiB. Ask for more storage or write less.`,
        finishedAt,
      };
    case 'lease_over':
      return {
        outcome: 'infrastructure_error',
        ...code,
        message: 'The worker could not reach the broker, so it stopped the container before its lease ended.',
        finishedAt,
      };
    case 'agent_stopping':
      return {
        outcome: 'infrastructure_error',
        ...code,
        message: 'The agent was shut down and stopped the container.',
        finishedAt,
      };
    default:
      return assertNever(ending, 'ending');
  }
}

/** The first thing that the agent did to end it decides; without that, the container's own end. */
export function resultOf(ending: Ending | undefined, exit: ContainerExit): AttemptResult {
  if (ending === undefined && exit.leaseEnded === true) {
    return {
      outcome: 'infrastructure_error',
      exitCode: exit.exitCode,
      message: 'The agent was away and could not renew the lease, so its lease keeper ended the container.',
      finishedAt: exit.finishedAt,
    };
  }
  if (ending === undefined && exit.unseen === true) {
    return {
      outcome: 'infrastructure_error',
      message: 'The container ended while its engine was away, and the engine does not know how.',
      finishedAt: exit.finishedAt,
    };
  }
  return ending === undefined ? plainExit(exit) : endedResult(ending, exit, exit.finishedAt);
}

export function neverRan(ending: Ending, at: number): AttemptResult {
  return endedResult(ending, undefined, at);
}
