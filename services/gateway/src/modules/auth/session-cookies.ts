import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TokenPair } from '@gantry/contracts/auth/auth-requests';
import { CSRF_HEADER, REFRESH_COOKIE, refreshCookieOptions, refreshTokenOf } from '../../security/refresh-cookie.js';

/** A request and its reply; absent on a WebSocket, which cannot set cookies. */
export interface CookieExchange {
  request: FastifyRequest;
  reply: FastifyReply;
}

/** Moves refresh tokens in and out of the cookie. */
export class SessionCookies {
  constructor(private readonly allowedOrigins: readonly string[]) {}

  isImplicit(explicit: string | null | undefined): boolean {
    return explicit === undefined || explicit === null || explicit === '';
  }

  tokenOf(explicit: string | null | undefined, exchange: CookieExchange | undefined): string {
    const request = exchange?.request;
    const csrf = request?.headers[CSRF_HEADER];
    return refreshTokenOf(
      explicit,
      {
        cookie: request?.cookies[REFRESH_COOKIE],
        origin: request?.headers.origin,
        csrfHeader: Array.isArray(csrf) ? csrf[0] : csrf,
      },
      this.allowedOrigins,
    );
  }

  /** With a cookie the token stays out of the body, where scripts of the page could read it. */
  deliver(pair: TokenPair, asCookie: boolean, exchange: CookieExchange | undefined) {
    if (!asCookie || exchange === undefined) return pair;
    const { request, reply } = exchange;
    void reply.setCookie(
      REFRESH_COOKIE,
      pair.refreshToken,
      refreshCookieOptions(request.protocol === 'https', pair.refreshTokenExpiresAt),
    );
    return { ...pair, refreshToken: null };
  }

  clear(exchange: CookieExchange | undefined): void {
    if (exchange === undefined) return;
    void exchange.reply.clearCookie(REFRESH_COOKIE, refreshCookieOptions(exchange.request.protocol === 'https'));
  }
}
