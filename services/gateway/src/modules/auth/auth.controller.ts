import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseInput } from '../../edge/parse-input.js';
import { Account } from './account.js';
import { authBodies } from './auth-bodies.js';
import { SessionCookies } from './session-cookies.js';

@Controller('api/auth')
export class AuthController {
  constructor(
    @Inject(Account) private readonly account: Account,
    @Inject(SessionCookies) private readonly cookies: SessionCookies,
  ) {}

  @Post('register')
  register(@Body() body: unknown, @Req() request: FastifyRequest) {
    return this.account.register(parseInput(authBodies.register, body), request.caller);
  }

  @Post('login')
  @HttpCode(200)
  async logIn(@Body() body: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { cookie, ...input } = parseInput(authBodies.logIn, body);
    return this.cookies.deliver(await this.account.logIn(input, request.caller), cookie, { request, reply });
  }

  @Post('refresh')
  @HttpCode(200)
  async refresh(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { refreshToken } = parseInput(authBodies.refresh, body ?? {});
    const exchange = { request, reply };
    const pair = await this.account.refresh(this.cookies.tokenOf(refreshToken, exchange), request.caller);
    return this.cookies.deliver(pair, this.cookies.isImplicit(refreshToken), exchange);
  }

  @Post('logout')
  @HttpCode(204)
  async logOut(@Body() body: unknown, @Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const { refreshToken } = parseInput(authBodies.refresh, body ?? {});
    const exchange = { request, reply };
    await this.account.logOut(this.cookies.tokenOf(refreshToken, exchange), request.caller);
    this.cookies.clear(exchange);
  }

  @Get('profile')
  profile(@Req() request: FastifyRequest) {
    return this.account.profile(request.caller);
  }

  @Patch('profile')
  updateProfile(@Body() body: unknown, @Req() request: FastifyRequest) {
    return this.account.updateProfile(parseInput(authBodies.profile, body), request.caller);
  }

  @Post('password')
  @HttpCode(200)
  changePassword(@Body() body: unknown, @Req() request: FastifyRequest) {
    return this.account.changePassword(parseInput(authBodies.password, body), request.caller);
  }

  @Get('keys')
  async keys(@Req() request: FastifyRequest) {
    return { apiKeys: await this.account.apiKeys(request.caller) };
  }

  @Post('keys')
  createKey(@Body() body: unknown, @Req() request: FastifyRequest) {
    return this.account.createApiKey(parseInput(authBodies.createKey, body), request.caller);
  }

  @Delete('keys/:id')
  revokeKey(@Param('id') id: string, @Req() request: FastifyRequest) {
    return this.account.revokeApiKey(id, request.caller);
  }

  @Get('sessions')
  async sessions(@Req() request: FastifyRequest) {
    return { sessions: await this.account.sessions(request.caller) };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  async revokeSession(@Param('id') id: string, @Req() request: FastifyRequest) {
    await this.account.revokeSession(id, request.caller);
  }
}
