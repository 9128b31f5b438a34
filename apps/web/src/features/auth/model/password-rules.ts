/** The server's rules, so that a person hears of them before the round trip. */
export const MIN_PASSWORD_LENGTH = 10;

export function checkNewPassword(value: string): string | undefined {
  if (value.length < MIN_PASSWORD_LENGTH) return `Use at least ${MIN_PASSWORD_LENGTH} characters.`;
  if (value.length > 200) return 'Use at most 200 characters.';
  return undefined;
}

export function checkEmail(value: string): string | undefined {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value.trim())
    ? undefined
    : 'Write an e-mail address such as ada@example.org.';
}
