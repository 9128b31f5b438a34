import { GantryError } from '@gantry/kernel/gantry-error';

export const emailTaken = () =>
  new GantryError(
    'AUTH.EMAIL_TAKEN',
    'conflict',
    'This e-mail address is registered already. Log in, or use another address.',
    {
      fields: [{ path: 'email', message: 'Use another address.' }],
    },
  );

export const userNotFound = () =>
  new GantryError('AUTH.USER_NOT_FOUND', 'not_found', 'There is no such user. Check the id.');

export const lastAdmin = () =>
  new GantryError('AUTH.LAST_ADMIN', 'conflict', 'This is the last admin. Make somebody else an admin first.');

/** The same words for an unknown address and a wrong password, so that nobody can ask who is registered. */
export const wrongCredentials = () =>
  new GantryError(
    'AUTH.WRONG_CREDENTIALS',
    'unauthenticated',
    'E-mail or password is wrong. Check both and try again.',
  );

export const wrongCurrentPassword = () =>
  new GantryError('AUTH.WRONG_PASSWORD', 'invalid', 'The current password is wrong. Type it again.', {
    fields: [{ path: 'currentPassword', message: 'This is not your current password.' }],
  });

export const passwordUnchanged = () =>
  new GantryError('AUTH.PASSWORD_UNCHANGED', 'invalid', 'The new password is the old one. Choose another.', {
    fields: [{ path: 'newPassword', message: 'Choose a password you do not use now.' }],
  });

export const passwordChangeRequired = () =>
  new GantryError('AUTH.PASSWORD_CHANGE_REQUIRED', 'forbidden', 'Change your first password, then try again.');

/** `waitMs`: time until the next try is accepted. */
export const tooManyAttempts = (waitMs: number) =>
  new GantryError(
    'AUTH.TOO_MANY_ATTEMPTS',
    'limit',
    `Too many failed log-ins. Try again in ${Math.max(1, Math.ceil(waitMs / 1000))} seconds.`,
    { retryable: true },
  );
