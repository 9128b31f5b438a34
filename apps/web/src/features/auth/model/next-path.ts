/** Where to go after log-in. Only paths of this site: `//evil.example` and `/\evil.example` leave it. */
export function safeNextPath(next: string | null | undefined): string {
  if (!next || !next.startsWith('/') || /^\/[/\\]/.test(next) || hasControlCharacter(next)) return '/';
  return /^\/(login|register|change-password)([/?#]|$)/.test(next) ? '/' : next;
}

/** Browsers drop tabs and line breaks from an address, so `/<tab>/evil.example` would leave the site too. */
const hasControlCharacter = (value: string) => [...value].some((character) => character < ' ');
