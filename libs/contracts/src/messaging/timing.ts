/** Every timing constant of leases, in one place. `lease-timing.ts` says what they must satisfy and checks it. */
export const timing = {
  heartbeatMs: 5_000,
  /** However short the lease, heartbeats come no faster than this. */
  shortestHeartbeatMs: 1_000,
  /** A worker whose newest heartbeat is older is lost and its tasks are placed again. */
  defaultLeaseMs: 60_000,
  shortestLeaseMs: 15_000,
  longestLeaseMs: 7 * 86_400_000,
  /** Beyond the lease (and the drift of clocks), before the scheduler places the tasks again. */
  lossMarginMs: 1_000,
  /** An agent that could not renew stops its containers this long before the lease ends. */
  stopBeforeLeaseEndMs: 10_000,
  /** SIGKILL is due this long before the lease ends, however long a grace was asked for. */
  killBeforeLeaseEndMs: 3_000,
  /** How often an agent looks at its leases. */
  leaseCheckMs: 500,
  /** What a container gets at least between SIGTERM and SIGKILL when its lease runs out. */
  shortestStopGraceMs: 5_000,
  /** Assumed: the timers of a running agent are at most this late. */
  agentLagMs: 1_000,
  /** Assumed: SIGKILL takes at most this long from the agent's call to the end of the last process. */
  engineKillMs: 2_000,
  /** Where the agent itself does not end a container, its lease keeper does, this long before the lease ends. */
  keeperKillBeforeLeaseEndMs: 2_000,
  /** How often the lease keeper looks. */
  keeperCheckMs: 250,
  /** Assumed: SIGKILL by the kernel alone takes at most this long until the last process has ended. */
  kernelKillMs: 500,
  /** Assumed: a second on a monotonic clock is wrong by at most this many millionths (NTP slews by at most 500). */
  clockDriftPpm: 500,
  defaultCancelGraceMs: 10_000,
  /** An agent holds back the news of a start this long, so that the end of a short task can go with it. */
  reportLingerMs: 20,
  metricsSampleMs: 5_000,
  liveMetricsSampleMs: 1_000,
} as const;
