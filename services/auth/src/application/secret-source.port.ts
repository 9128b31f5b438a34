export interface SecretSource {
  /** 256 random bits as 43 characters of base64url. */
  next(): string;
}
