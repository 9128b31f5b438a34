import type { Scope } from '@gantry/contracts/auth/auth-requests';
import type { Role } from '@gantry/contracts/messaging/actor';
import { assertNever } from '@gantry/kernel/assert-never';
import {
  apiKeyNotFound,
  expiryInPast,
  MAX_API_KEYS_PER_USER,
  scopeNotAllowed,
  tooManyApiKeys,
} from './api-key.errors.js';
import type { ApiKeyEvent } from './api-key.evolve.js';
import type { ApiKeyState } from './api-key.state.js';

export interface CreateApiKey {
  readonly type: 'CreateApiKey';
  readonly keyId: string;
  readonly userId: string;
  readonly ownerRole: Role;
  /** Keys of the owner that are neither revoked nor expired. */
  readonly activeKeys: number;
  readonly name: string;
  readonly prefix: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number | null;
  readonly at: number;
}

export type ApiKeyCommand =
  CreateApiKey | { readonly type: 'RevokeApiKey'; readonly userId: string; readonly at: number };

/**
 * A key never allows more than its owner is allowed.
 * Errors: `AUTH.SCOPE_NOT_ALLOWED`, `AUTH.EXPIRY_IN_PAST`, `AUTH.TOO_MANY_API_KEYS`, `AUTH.API_KEY_NOT_FOUND`.
 */
export function decideApiKey(command: ApiKeyCommand, state: ApiKeyState): readonly ApiKeyEvent[] {
  switch (command.type) {
    case 'CreateApiKey':
      return create(command, state);
    case 'RevokeApiKey':
      if (state.status === 'none' || state.userId !== command.userId) throw apiKeyNotFound();
      return state.status === 'revoked'
        ? []
        : [{ type: 'ApiKeyRevoked', data: { keyId: state.keyId, at: command.at } }];
    default:
      return assertNever(command, 'API key command');
  }
}

function create(command: CreateApiKey, state: ApiKeyState): readonly ApiKeyEvent[] {
  if (state.status !== 'none') return [];
  const { keyId, userId, name, prefix, secretHash, scopes, expiresAt, at } = command;
  if (scopes.includes('admin') && command.ownerRole !== 'admin') throw scopeNotAllowed();
  if (expiresAt !== null && expiresAt <= at) throw expiryInPast();
  if (command.activeKeys >= MAX_API_KEYS_PER_USER) throw tooManyApiKeys();
  return [
    {
      type: 'ApiKeyCreated',
      data: { keyId, userId, name, prefix, secretHash, scopes: [...new Set(scopes)], expiresAt, at },
    },
  ];
}
