export const sessionPolicy = {
  /** From log-in to the end, however often it is refreshed. */
  lifetimeMs: 24 * 60 * 60_000,
  /** Two tabs may refresh with the same token at once; that long the loser is told to try again with the newer token. */
  refreshRaceMs: 10_000,
  /** The session that was inactive longest makes room for one more. */
  maxPerUser: 200,
} as const;

/**
 * How many used tokens a session can recognise: a token refreshed every five minutes for the whole lifetime fits. An older
 * one is refused like an unknown one, without ending the session.
 */
export const REMEMBERED_TOKENS = 288;

/** 64 bits tell used tokens of one session apart and keep the state of a long session small. */
export const usedTokenMark = (tokenHash: string): string => tokenHash.slice(0, 16);
