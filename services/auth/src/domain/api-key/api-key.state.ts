export type ApiKeyState =
  | { readonly status: 'none' }
  | { readonly status: 'active'; readonly keyId: string; readonly userId: string }
  | { readonly status: 'revoked'; readonly keyId: string; readonly userId: string };

export const noApiKey: ApiKeyState = { status: 'none' };
