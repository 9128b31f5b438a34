import { GantryError } from '@gantry/kernel/gantry-error';

export const REFRESH_COOKIE = 'gantry_refresh';
/** Any value will do: a foreign page cannot send it without the consent that CORS gives to known origins only. */
export const CSRF_HEADER = 'x-gantry-csrf';

export interface CookieRequest {
  cookie: string | undefined;
  origin: string | undefined;
  csrfHeader: string | undefined;
}

/**
 * The refresh token a request brings: the one it names, else its cookie. The cookie counts only when the request shows
 * that it comes from a page of ours, since browsers attach cookies to anybody's requests.
 */
export function refreshTokenOf(
  explicit: string | null | undefined,
  request: CookieRequest,
  allowedOrigins: readonly string[],
): string {
  if (explicit !== undefined && explicit !== null && explicit !== '') return explicit;
  if (request.cookie === undefined || request.cookie === '') {
    throw new GantryError('AUTH.NO_REFRESH_TOKEN', 'unauthenticated', 'There is no session to continue. Log in.');
  }
  const trusted =
    request.csrfHeader !== undefined || (request.origin !== undefined && allowedOrigins.includes(request.origin));
  if (!trusted) {
    throw new GantryError(
      'AUTH.CROSS_SITE',
      'forbidden',
      'This request does not come from a known page. Send the header x-gantry-csrf, or add the page to GANTRY_WEB_ORIGINS.',
    );
  }
  return request.cookie;
}

export function refreshCookieOptions(secure: boolean, expiresAt?: number) {
  return {
    path: '/',
    httpOnly: true,
    sameSite: 'strict' as const,
    secure,
    ...(expiresAt === undefined ? {} : { expires: new Date(expiresAt) }),
  };
}
