/** `gtr`: refresh token, `gtk`: API key. The prefix lets secret scanners find a leaked one. */
export type TokenPrefix = 'gtr' | 'gtk';

export interface OpaqueToken {
  readonly id: string;
  readonly secret: string;
}

const form = /^(gtr|gtk)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export function formatOpaqueToken(prefix: TokenPrefix, { id, secret }: OpaqueToken): string {
  return `${prefix}_${id}_${secret}`;
}

export function parseOpaqueToken(prefix: TokenPrefix, token: string): OpaqueToken | undefined {
  const [, found, id, secret] = form.exec(token) ?? [];
  return found === prefix && id !== undefined && secret !== undefined ? { id, secret } : undefined;
}
