import { given } from '@gantry/testing/given-when-then';
import { describe, it } from 'vitest';
import { apiKeyDecider } from './api-key.decider.js';
import type { CreateApiKey } from './api-key.decide.js';
import { MAX_API_KEYS_PER_USER } from './api-key.errors.js';
import type { ApiKeyEvent } from './api-key.evolve.js';

const create: CreateApiKey = {
  type: 'CreateApiKey',
  keyId: 'k1',
  userId: 'u1',
  ownerRole: 'user',
  activeKeys: 0,
  name: 'laptop',
  prefix: 'gtk_1',
  secretHash: 'f'.repeat(64),
  scopes: ['tasks:read', 'tasks:read', 'tasks:write'],
  expiresAt: null,
  at: 10,
};
const created: ApiKeyEvent = {
  type: 'ApiKeyCreated',
  data: {
    keyId: 'k1',
    userId: 'u1',
    name: 'laptop',
    prefix: 'gtk_1',
    secretHash: 'f'.repeat(64),
    scopes: ['tasks:read', 'tasks:write'],
    expiresAt: null,
    at: 10,
  },
};
const revoked: ApiKeyEvent = { type: 'ApiKeyRevoked', data: { keyId: 'k1', at: 20 } };

describe('API key', () => {
  it('is created with each scope once', () => {
    given(apiKeyDecider, []).when(create).then([created]);
  });

  it('carries the scope "admin" for admins only', () => {
    given(apiKeyDecider, [])
      .when({ ...create, scopes: ['admin'] })
      .thenThrows('AUTH.SCOPE_NOT_ALLOWED');
    given(apiKeyDecider, [])
      .when({ ...create, scopes: ['admin'], ownerRole: 'admin' })
      .then([{ type: 'ApiKeyCreated', data: { ...created.data, scopes: ['admin'] } }]);
  });

  it('cannot be born expired', () => {
    given(apiKeyDecider, [])
      .when({ ...create, expiresAt: 10 })
      .thenThrows('AUTH.EXPIRY_IN_PAST');
  });

  it('is refused when the owner has too many', () => {
    given(apiKeyDecider, [])
      .when({ ...create, activeKeys: MAX_API_KEYS_PER_USER })
      .thenThrows('AUTH.TOO_MANY_API_KEYS');
  });

  it('is revoked once, by the owner', () => {
    given(apiKeyDecider, [created]).when({ type: 'RevokeApiKey', userId: 'u1', at: 20 }).then([revoked]);
    given(apiKeyDecider, [created, revoked]).when({ type: 'RevokeApiKey', userId: 'u1', at: 21 }).then([]);
    given(apiKeyDecider, [created])
      .when({ type: 'RevokeApiKey', userId: 'u2', at: 20 })
      .thenThrows('AUTH.API_KEY_NOT_FOUND');
    given(apiKeyDecider, []).when({ type: 'RevokeApiKey', userId: 'u1', at: 20 }).thenThrows('AUTH.API_KEY_NOT_FOUND');
  });
});
