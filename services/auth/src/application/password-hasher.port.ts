export interface PasswordHasher {
  /** PHC string with a salt of its own. */
  hash(password: string): Promise<string>;
  /**
   * False for a wrong password and for a hash it cannot read. Without a hash (nobody has this address) it does the same
   * work and says false, so that the duration of an answer does not tell who is registered.
   */
  verify(hash: string | undefined, password: string): Promise<boolean>;
}
