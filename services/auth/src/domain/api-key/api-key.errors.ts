import { GantryError } from '@gantry/kernel/gantry-error';

export const MAX_API_KEYS_PER_USER = 100;

export const apiKeyNotFound = () =>
  new GantryError('AUTH.API_KEY_NOT_FOUND', 'not_found', 'There is no such API key. List the keys again.');

/** One answer for unknown, wrong, expired and revoked keys: a guesser learns nothing. */
export const apiKeyInvalid = () =>
  new GantryError('AUTH.API_KEY_INVALID', 'unauthenticated', 'This API key is not good (any more). Create a new one.');

export const scopeNotAllowed = () =>
  new GantryError(
    'AUTH.SCOPE_NOT_ALLOWED',
    'forbidden',
    'Only an admin can give a key the scope "admin". Leave it out.',
    {
      fields: [{ path: 'scopes', message: 'Leave out "admin".' }],
    },
  );

export const expiryInPast = () =>
  new GantryError('AUTH.EXPIRY_IN_PAST', 'invalid', 'The key would have expired already. Choose a later time.', {
    fields: [{ path: 'expiresAt', message: 'Choose a time in the future.' }],
  });

export const tooManyApiKeys = () =>
  new GantryError(
    'AUTH.TOO_MANY_API_KEYS',
    'limit',
    `You have ${MAX_API_KEYS_PER_USER} active API keys. Revoke one first.`,
  );
