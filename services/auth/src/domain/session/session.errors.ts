import { GantryError } from '@gantry/kernel/gantry-error';

export const refreshTokenInvalid = () =>
  new GantryError('AUTH.REFRESH_TOKEN_INVALID', 'unauthenticated', 'This refresh token is not good. Log in again.');

export const sessionEnded = () =>
  new GantryError('AUTH.SESSION_ENDED', 'unauthenticated', 'This session has ended. Log in again.');

export const tokenReused = () =>
  new GantryError(
    'AUTH.TOKEN_REUSED',
    'unauthenticated',
    'This refresh token was used before, so somebody may have copied it: the session was ended. Log in again.',
  );

export const refreshRace = () =>
  new GantryError(
    'AUTH.REFRESH_RACE',
    'conflict',
    'Another request of this session refreshed it just now. Try again with the newer refresh token.',
    { retryable: true },
  );

export const sessionNotFound = () =>
  new GantryError('AUTH.SESSION_NOT_FOUND', 'not_found', 'There is no such active session. List the sessions again.');
