import type { FirstLogInAnnouncer } from '../../application/first-log-in-announcer.port.js';

/**
 * Past the logger on purpose: log lines are collected and kept, this password must not be. A supervisor that started the
 * process gets it as a message, too, because it may not show its children's output.
 */
export const processFirstLogInAnnouncer: FirstLogInAnnouncer = {
  announce({ email, password }) {
    process.stdout.write(`First log-in: ${email} with password ${password} (shown once; you must change it)\n`);
    process.send?.({ type: 'first-log-in', email, password });
  },
};
