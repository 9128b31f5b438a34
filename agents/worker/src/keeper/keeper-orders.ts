/** Changes when an older keeper could misread the orders of a newer agent; such a keeper is replaced. */
export const KEEPER_VERSION = 1;

export const keeperFiles = { orders: 'orders.json', sign: 'keeper.json' } as const;

/** A process and when it began (clock ticks since the boot): a number that was given again is another process. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
}

/** One container or sandbox that must not outlive its lease. */
export interface KeptAttempt {
  readonly containerId: string;
  /** Name of the control group that holds all of its processes, known before the first of them exists. */
  readonly group: string;
  /** After `renewedAt`, ms. */
  readonly killAfterMs: number;
  /** The runtime has said that it runs: once its processes are gone there will be none again. */
  readonly started: boolean;
  /** File that is made before it is killed, so that the agent can say why it ended. */
  readonly mark: string;
}

/** All that an agent tells its keeper, written whole at every change: a keeper that is started anew needs nothing else. */
export interface KeeperOrders {
  readonly version: number;
  readonly agent: ProcessIdentity;
  /** The monotonic clock of the machine is meant by all times; it begins anew with every boot. */
  readonly bootId: string | undefined;
  /** When the newest acknowledged heartbeat was sent, ms. */
  readonly renewedAt: number;
  readonly attempts: readonly KeptAttempt[];
}

/** What the keeper says of itself, again and again. */
export interface KeeperSign extends ProcessIdentity {
  readonly version: number;
  readonly at: number;
}
