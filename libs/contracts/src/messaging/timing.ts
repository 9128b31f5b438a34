/**
 * Every timing constant of leases, in one place. They must satisfy
 * `heartbeat * 3 <= shortest lease` and `stopBefore >= 2 * heartbeat`, so that an agent that stops its containers
 * `stopBefore` ahead of the lease's end is done before the scheduler may place them again.
 */
export const timing = {
  heartbeatMs: 5_000,
  /** A worker whose newest heartbeat is older is lost and its tasks are placed again. */
  defaultLeaseMs: 60_000,
  shortestLeaseMs: 15_000,
  /** An agent that could not renew stops its containers this long before the lease ends. */
  stopBeforeLeaseEndMs: 10_000,
  defaultCancelGraceMs: 10_000,
  metricsSampleMs: 5_000,
  liveMetricsSampleMs: 1_000,
} as const;
