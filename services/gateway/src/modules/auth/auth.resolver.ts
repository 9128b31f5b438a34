import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Role } from '@gantry/contracts/messaging/actor';
import { changeRole, listUsers, type Scope } from '@gantry/contracts/auth/auth-requests';
import { ServiceClient } from '../../adapters/service-client.js';
import { withoutNulls } from '../../edge/graphql-arguments.js';
import type { Caller } from '../../security/caller.js';
import { Account } from './account.js';
import { SessionCookies, type CookieExchange } from './session-cookies.js';

@Resolver()
export class AuthResolver {
  constructor(
    @Inject(ServiceClient) private readonly services: ServiceClient,
    @Inject(Account) private readonly account: Account,
    @Inject(SessionCookies) private readonly cookies: SessionCookies,
  ) {}

  @Query('me')
  me(@Context('caller') caller: Caller) {
    return this.account.profile(caller);
  }

  @Query('mySessions')
  mySessions(@Context('caller') caller: Caller) {
    return this.account.sessions(caller);
  }

  @Query('myApiKeys')
  myApiKeys(@Context('caller') caller: Caller) {
    return this.account.apiKeys(caller);
  }

  @Query('users')
  async users(@Args() args: { limit?: number | null; after?: string | null }, @Context('caller') caller: Caller) {
    return (await this.services.ask(listUsers, withoutNulls<{ limit?: number; after?: string }>(args), caller)).users;
  }

  @Mutation('register')
  register(@Args() args: { email: string; password: string; name: string }, @Context('caller') caller: Caller) {
    return this.account.register(args, caller);
  }

  @Mutation('logIn')
  async logIn(
    @Args() args: { email: string; password: string; cookie?: boolean | null },
    @Context('caller') caller: Caller,
    @Context('exchange') exchange: CookieExchange | undefined,
  ) {
    const pair = await this.account.logIn({ email: args.email, password: args.password }, caller);
    return this.cookies.deliver(pair, args.cookie !== false, exchange);
  }

  @Mutation('refresh')
  async refresh(
    @Args('refreshToken') refreshToken: string | null | undefined,
    @Context('caller') caller: Caller,
    @Context('exchange') exchange: CookieExchange | undefined,
  ) {
    const pair = await this.account.refresh(this.cookies.tokenOf(refreshToken, exchange), caller);
    return this.cookies.deliver(pair, this.cookies.isImplicit(refreshToken), exchange);
  }

  @Mutation('logOut')
  async logOut(
    @Args('refreshToken') refreshToken: string | null | undefined,
    @Context('caller') caller: Caller,
    @Context('exchange') exchange: CookieExchange | undefined,
  ) {
    await this.account.logOut(this.cookies.tokenOf(refreshToken, exchange), caller);
    this.cookies.clear(exchange);
    return true;
  }

  @Mutation('updateProfile')
  updateProfile(@Args('name') name: string, @Context('caller') caller: Caller) {
    return this.account.updateProfile({ name }, caller);
  }

  @Mutation('changePassword')
  changePassword(@Args() args: { currentPassword: string; newPassword: string }, @Context('caller') caller: Caller) {
    return this.account.changePassword(
      { currentPassword: args.currentPassword, newPassword: args.newPassword },
      caller,
    );
  }

  @Mutation('createApiKey')
  createApiKey(
    @Args() args: { name: string; scopes?: Scope[] | null; expiresAt?: number | null },
    @Context('caller') caller: Caller,
  ) {
    return this.account.createApiKey(
      withoutNulls<{ name: string; scopes?: Scope[]; expiresAt?: number }>(args),
      caller,
    );
  }

  @Mutation('revokeApiKey')
  revokeApiKey(@Args('id') id: string, @Context('caller') caller: Caller) {
    return this.account.revokeApiKey(id, caller);
  }

  @Mutation('revokeSession')
  async revokeSession(@Args('id') id: string, @Context('caller') caller: Caller) {
    await this.account.revokeSession(id, caller);
    return true;
  }

  @Mutation('changeRole')
  changeRole(@Args('userId') userId: string, @Args('role') role: Role, @Context('caller') caller: Caller) {
    return this.services.ask(changeRole, { userId, role }, caller);
  }
}
