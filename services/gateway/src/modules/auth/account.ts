import {
  changePassword,
  createApiKey,
  getProfile,
  listApiKeys,
  listSessions,
  logIn,
  logOut,
  refreshSession,
  registerUser,
  revokeApiKey,
  revokeSession,
  updateProfile,
} from '@gantry/contracts/auth/auth-requests';
import type { InputOf } from '@gantry/contracts/messaging/request';
import type { ServiceClient } from '../../adapters/service-client.js';
import { principalOf, type Caller } from '../../security/caller.js';

/** The caller's own account. Whose account it is comes from the verified credentials, never from the input. */
export class Account {
  constructor(private readonly services: ServiceClient) {}

  register(input: InputOf<typeof registerUser>, caller: Caller) {
    return this.services.ask(registerUser, input, caller);
  }

  logIn(input: Pick<InputOf<typeof logIn>, 'email' | 'password'>, caller: Caller) {
    return this.services.ask(logIn, { ...input, ip: caller.ip, userAgent: caller.userAgent }, caller);
  }

  refresh(refreshToken: string, caller: Caller) {
    return this.services.ask(refreshSession, { refreshToken, ip: caller.ip, userAgent: caller.userAgent }, caller);
  }

  logOut(refreshToken: string, caller: Caller) {
    return this.services.ask(logOut, { refreshToken }, caller);
  }

  profile(caller: Caller) {
    return this.services.ask(getProfile, own(caller), caller);
  }

  updateProfile(input: { name: string }, caller: Caller) {
    return this.services.ask(updateProfile, { ...input, ...own(caller) }, caller);
  }

  changePassword(input: { currentPassword: string; newPassword: string }, caller: Caller) {
    const { sessionId } = principalOf(caller);
    return this.services.ask(
      changePassword,
      { ...input, ...own(caller), ...(sessionId === null ? {} : { sessionId }) },
      caller,
    );
  }

  async apiKeys(caller: Caller) {
    return (await this.services.ask(listApiKeys, own(caller), caller)).apiKeys;
  }

  createApiKey(input: Omit<InputOf<typeof createApiKey>, 'userId'>, caller: Caller) {
    return this.services.ask(createApiKey, { ...input, ...own(caller) }, caller);
  }

  revokeApiKey(keyId: string, caller: Caller) {
    return this.services.ask(revokeApiKey, { keyId, ...own(caller) }, caller);
  }

  async sessions(caller: Caller) {
    const { sessionId } = principalOf(caller);
    const { sessions } = await this.services.ask(listSessions, own(caller), caller);
    return sessions.map((session) => ({ ...session, current: session.id === sessionId }));
  }

  revokeSession(sessionId: string, caller: Caller) {
    return this.services.ask(revokeSession, { sessionId, ...own(caller) }, caller);
  }
}

function own(caller: Caller): { userId: string } {
  return { userId: principalOf(caller).userId };
}
