import { NextResponse, type NextRequest } from 'next/server';
import { readEnvironment } from './environment';
import { apiEndpoints } from './lib/api-endpoints';

/**
 * A content security policy per response. The access token lives in the page's memory, so the page must run our scripts
 * only (nonce) and may talk to the API only.
 */
export function proxy(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID());
  const host = request.headers.get('host') ?? request.nextUrl.host;
  const protocol = request.headers.get('x-forwarded-proto')?.split(',')[0] ?? request.nextUrl.protocol.replace(':', '');
  const environment = readEnvironment();
  const api = apiEndpoints(environment.api, new URL(`${protocol}://${host}`));
  const origin = new URL(api.base).origin;
  // React's development build evaluates code for its stack traces.
  const development = environment.development ? " 'unsafe-eval'" : '';
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development}`,
    // Components position things with style attributes, which no nonce can cover.
    "style-src 'self' 'unsafe-inline'",
    `connect-src 'self' ${origin} ${origin.replace(/^http/, 'ws')}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');

  const headers = new Headers(request.headers);
  headers.set('x-nonce', nonce);
  headers.set('content-security-policy', policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set('content-security-policy', policy);
  response.headers.set('x-content-type-options', 'nosniff');
  response.headers.set('referrer-policy', 'same-origin');
  response.headers.set('permissions-policy', 'camera=(), microphone=(), geolocation=()');
  return response;
}

export const config = {
  matcher: [
    {
      source: '/((?!_next/static|_next/image|icon.svg).*)',
      missing: [{ type: 'header', key: 'next-router-prefetch' }],
    },
  ],
};
