import { backOff, pause } from '@gantry/jetstream/pause';
import type { Clock } from '@gantry/kernel/clock';
import type Docker from 'dockerode';
import { z } from 'zod';
import type { ContainerExit } from '../../domain/attempt.state.js';
import type { ContainerEnds } from './container-ends.js';
import { openResponse, statusOf } from './docker-engine.js';
import { type EndedState, exitOf } from './docker-exit.js';
import { ranOutOfMemory } from './memory-news.js';

const waitedSchema = z.object({ StatusCode: z.number(), Error: z.unknown().optional() });

export interface DockerExitsOptions {
  readonly ends: ContainerEnds;
  /** The engine's clock, if the engine is on this machine. */
  readonly clock: Clock | undefined;
  /** When the engine that answers now began; undefined if nobody knows. */
  readonly engineSince: () => Promise<number | undefined>;
}

/** Learns how containers end, whatever becomes of the engine meanwhile. */
export class DockerExits {
  /** Started by this very process, and under which engine. */
  private readonly startedUnder = new Map<string, number | undefined>();
  /** Killed by this very process: what else it may have died of is not asked. */
  private readonly killed = new Set<string>();

  constructor(
    private readonly docker: Docker,
    private readonly options: DockerExitsOptions,
  ) {}

  /** Starts it; rejects as the engine does. */
  async start(containerId: string): Promise<void> {
    const since = await this.options.engineSince();
    await this.docker.getContainer(containerId).start();
    this.startedUnder.set(containerId, since);
  }

  noteKill(containerId: string): void {
    this.killed.add(containerId);
  }

  forget(containerId: string): void {
    this.startedUnder.delete(containerId);
    this.killed.delete(containerId);
  }

  /** How a container ended that does not run. `since`, `seenRunning`: see `exitOf`. */
  async endOf(
    containerId: string,
    state: EndedState,
    { since, seenRunning }: { since: number | undefined; seenRunning: boolean },
    signal: AbortSignal,
  ): Promise<ContainerExit> {
    const OOMKilled = this.killed.has(containerId)
      ? state.OOMKilled
      : await ranOutOfMemory(this.docker, containerId, state, signal);
    return exitOf({ ...state, OOMKilled }, since, seenRunning);
  }

  /** Resolves when the container has ended; `undefined` if it is gone or the signal aborted. */
  async wait(containerId: string, signal: AbortSignal): Promise<ContainerExit | undefined> {
    const { ends } = this.options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        const exit = await this.waitOnce(containerId, failures === 0 && this.startedUnder.has(containerId), signal);
        if (exit !== undefined) {
          ends.note(containerId);
          return exit;
        }
        failures = 0;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
      }
      await pause(backOff(failures, 100, 5_000), signal);
    }
    return undefined;
  }

  /**
   * `fromStart`: nobody has to look first whether it runs, it was started just now. Undefined if that engine did not live to tell
   * its end.
   */
  private async waitOnce(
    containerId: string,
    fromStart: boolean,
    signal: AbortSignal,
  ): Promise<ContainerExit | undefined> {
    const { clock, engineSince } = this.options;
    let since = this.startedUnder.get(containerId);
    if (!fromStart) {
      const { State } = await this.docker.getContainer(containerId).inspect();
      since = await engineSince();
      if (!State.Running) return this.endOf(containerId, State, { since, seenRunning: false }, signal);
    }
    const exitCode = await this.answered(containerId, signal);
    const finishedAt = clock?.now();
    if (exitCode === undefined || (await engineSince()) !== since) return undefined;
    // Of every other end the engine is asked more; of a container that was not just started, the end may be long past.
    if (exitCode === 0 && fromStart && finishedAt !== undefined) return { exitCode, oomKilled: false, finishedAt };
    const { State } = await this.docker.getContainer(containerId).inspect();
    if (State.Running) return undefined;
    return { ...(await this.endOf(containerId, State, { since, seenRunning: true }, signal)), exitCode };
  }

  /** The engine's word; undefined if it broke off. */
  private async answered(containerId: string, signal: AbortSignal): Promise<number | undefined> {
    const call = { method: 'POST', path: `/containers/${containerId}/wait` } as const;
    const response = await openResponse(this.docker, call, signal);
    let answer = '';
    for await (const bytes of response) answer += (bytes as Buffer).toString();
    try {
      const waited = waitedSchema.safeParse(JSON.parse(answer));
      return waited.success && (waited.data.Error ?? null) === null ? waited.data.StatusCode : undefined;
    } catch {
      return undefined;
    }
  }
}
