/** Of one attempt; its folder is its name in all messages. */
interface OfSandbox {
  readonly folder: string;
}

/** What an agent asks of its spooler. */
export type SpoolerRequest =
  /** Answered with `started` or `failed`. What it prints is kept below the folder from the first byte on. */
  | ({ readonly type: 'start'; readonly command: readonly string[]; readonly limitBytes: number } & OfSandbox)
  /** `SIGTERM` goes to the command in the sandbox, `SIGKILL` ends all of it; nothing happens to one that has ended. */
  | ({ readonly type: 'signal'; readonly signal: SandboxSignal } & OfSandbox);

export type SandboxSignal = 'SIGTERM' | 'SIGKILL';

/** How a sandbox ended; `at`: epoch milliseconds. */
export interface SandboxEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly at: number;
}

/** What the spooler tells its agent. */
export type SpoolerMessage =
  | { readonly type: 'ready' }
  | ({ readonly type: 'started'; readonly pid: number; readonly at: number } & OfSandbox)
  | ({ readonly type: 'failed'; readonly problem: string } & OfSandbox)
  | ({ readonly type: 'ended' } & SandboxEnd & OfSandbox)
  /** `problem`: why the disk takes nothing; absent = it does again. */
  | ({ readonly type: 'disk'; readonly problem?: string } & OfSandbox);
