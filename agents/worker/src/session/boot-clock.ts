import { readFileSync } from 'node:fs';

/** A clock that nobody can set and that goes on over restarts of the agent, until the machine is booted again. */
export interface BootClock {
  /** Names this boot of the machine; undefined = unknown here, so readings of an earlier process say nothing. */
  readonly bootId: string | undefined;
  /** Milliseconds. */
  now(): number;
}

export const systemBootClock: BootClock = {
  bootId: readBootId(),
  now: () => Number(process.hrtime.bigint()) / 1_000_000,
};

function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
