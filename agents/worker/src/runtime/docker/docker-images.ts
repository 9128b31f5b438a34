import { backOff, pause } from '@gantry/jetstream/pause';
import { GenerationalMap } from '@gantry/kernel/generational-map';
import type Docker from 'dockerode';
import { imageProblem } from '../../domain/image-error.js';
import { withTag } from '../../domain/image-reference.js';
import { PullTally } from '../../domain/pull-tally.js';
import { type PullProgress, RuntimeProblem } from '../container-runtime.port.js';
import { answerWithin, openResponse, reasonOf, statusOf } from './docker-engine.js';
import { EngineWord, pullProblem, SilentPull } from './pull-problem.js';

const PULL_TRIES = 3;
/** An engine that is well answers this at once, whatever it pulls. */
const PING_MS = 10_000;
/** Tasks of one image come in crowds, and each question costs the engine more than it seems. */
const TRUST_SIGHT_MS = 10_000;
const REMEMBERED_IMAGES = 200;

interface Pull {
  readonly controller: AbortController;
  readonly watchers: Set<(progress: PullProgress) => void>;
  readonly done: Promise<void>;
}

/** Credentials for one registry host, in the engine's form. */
export type RegistryCredentials = (image: string) => object | undefined;

export interface ImageLimits {
  /** Longest wait for what the engine knows by itself, milliseconds. */
  readonly answerMs: number;
  /** A pull of which nothing new was heard for so long is given up, milliseconds. */
  readonly pullIdleMs: number;
}

/** Images of one engine. Tasks that want the same image at the same time share one pull. */
export class DockerImages {
  private readonly pulls = new Map<string, Pull>();
  /** When each was last seen on the machine. */
  private readonly seen = new GenerationalMap<string, number>(REMEMBERED_IMAGES);

  constructor(
    private readonly docker: Docker,
    private readonly credentials: RegistryCredentials,
    private readonly limits: ImageLimits,
  ) {}

  async list(): Promise<string[]> {
    const images = await this.docker.listImages();
    return images
      .sort((a, b) => b.Created - a.Created)
      .flatMap((image) => image.RepoTags ?? [])
      .filter((tag) => tag !== '<none>:<none>');
  }

  async ensure(reference: string, onPull: (progress: PullProgress) => void, signal: AbortSignal): Promise<void> {
    const image = withTag(reference);
    const seenAt = this.seen.get(image);
    if (seenAt !== undefined && performance.now() - seenAt < TRUST_SIGHT_MS) return;
    if (await this.has(image)) return;
    signal.throwIfAborted();
    onPull({ message: `Pulling ${image}` });
    const pull = this.pulls.get(image) ?? this.begin(image);
    pull.watchers.add(onPull);
    const left = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new RuntimeProblem('image_error', 'The pull was cancelled.')), {
        once: true,
      });
    });
    try {
      await Promise.race([pull.done, left]);
    } finally {
      pull.watchers.delete(onPull);
      if (pull.watchers.size === 0) pull.controller.abort();
    }
  }

  /** The engine says that it is not there after all. */
  forget(reference: string): void {
    this.seen.delete(withTag(reference));
  }

  private async has(image: string): Promise<boolean> {
    try {
      await answerWithin(this.limits.answerMs, this.docker.getImage(image).inspect());
      this.seen.set(image, performance.now());
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      if (statusOf(error) === 400)
        throw new RuntimeProblem('image_error', imageProblem(image, reasonOf(error)).message, { cause: error });
      throw new RuntimeProblem('infrastructure_error', `The container engine did not answer: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  private begin(image: string): Pull {
    const controller = new AbortController();
    const watchers = new Set<(progress: PullProgress) => void>();
    const done = this.pull(image, controller.signal, (progress) => {
      for (const watcher of watchers) watcher(progress);
    }).finally(() => this.pulls.delete(image));
    // With every watcher gone nobody awaits it; its failure is then of no interest.
    done.catch(() => undefined);
    const pull = { controller, watchers, done };
    this.pulls.set(image, pull);
    return pull;
  }

  private async pull(image: string, signal: AbortSignal, onProgress: (progress: PullProgress) => void): Promise<void> {
    for (let round = 1; ; round += 1) {
      try {
        await this.pullOnce(image, signal, onProgress);
        return;
      } catch (error) {
        const { problem, retryable } = pullProblem(image, error);
        if (signal.aborted || !retryable || round === PULL_TRIES) throw problem;
        await pause(backOff(round, 1_000, 5_000), signal);
      }
    }
  }

  private async pullOnce(
    image: string,
    signal: AbortSignal,
    onProgress: (progress: PullProgress) => void,
  ): Promise<void> {
    const { pullIdleMs } = this.limits;
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(), pullIdleMs);
    try {
      await this.readPull(image, AbortSignal.any([signal, silent.signal]), onProgress, () => timer.refresh());
    } catch (error) {
      if (!silent.signal.aborted || signal.aborted) throw error;
      const engineAnswers = await answerWithin(PING_MS, this.docker.ping()).then(
        () => true,
        () => false,
      );
      throw new SilentPull(pullIdleMs, engineAnswers);
    } finally {
      clearTimeout(timer);
    }
    if (!(await this.has(image))) throw new Error('it broke off the pull');
  }

  private async readPull(
    image: string,
    signal: AbortSignal,
    onProgress: (progress: PullProgress) => void,
    onNews: () => void,
  ): Promise<void> {
    const authconfig = this.credentials(image);
    const response = await openResponse(
      this.docker,
      {
        method: 'POST',
        path: '/images/create',
        query: { fromImage: image },
        ...(authconfig === undefined ? {} : { authconfig }),
      },
      signal,
    );
    const tally = new PullTally();
    let rest = '';
    for await (const bytes of response) {
      const lines = `${rest}${(bytes as Buffer).toString('utf8')}`.split('\n');
      rest = lines.pop() ?? '';
      const { news } = tally;
      for (const line of lines) {
        if (line.trim() === '') continue;
        const failure = tally.take(line);
        if (failure !== undefined) throw new EngineWord(failure);
      }
      if (tally.news > news) onNews();
      onProgress(tally.progress(image));
    }
    const failure = rest.trim() === '' ? undefined : tally.take(rest);
    if (failure !== undefined) throw new EngineWord(failure);
  }
}
