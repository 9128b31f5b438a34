/** Shows the generated first password to whoever started the service; nothing keeps it. */
export interface FirstLogInAnnouncer {
  announce(firstLogIn: { readonly email: string; readonly password: string }): void;
}
