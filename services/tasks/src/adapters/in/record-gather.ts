/**
 * How often what the scheduler and the agents say is fetched while it keeps coming. Recording it is not on the way of a task to its
 * worker, and each message that comes alone wakes the broker, this service, and all who read what it stores.
 */
export const RECORD_GATHER_MS = 20;
