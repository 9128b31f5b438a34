/** Where to go after log-in. Only paths of this site: `//evil.example` and `/\evil.example` leave it. */
export function safeNextPath(next: string | null | undefined): string {
  if (!next || !next.startsWith('/') || /^\/[/\\]/.test(next) || /[\u0000-\u001f]/.test(next)) return '/';
  return /^\/(login|register|change-password)([/?#]|$)/.test(next) ? '/' : next;
}
