import { operatorPermissions, servicePermissions, type SubjectPermissions, workerPermissions } from './permissions.js';

/** Environment variable with the password of a broker user, as the configuration and whoever starts the broker name it. */
export const passwordVariable = (user: string): string =>
  `GANTRY_NATS_PASSWORD_${user.toUpperCase().replaceAll('-', '_')}`;

/**
 * The `users` list of a production broker (nats-server configuration, for an `include` inside an account): every service, the
 * operator, and one user `worker-<id>` per worker. Passwords stay outside, in environment variables.
 */
export function brokerUsersConfig(workerIds: readonly string[]): string {
  const users: [string, SubjectPermissions][] = [
    ...Object.entries(servicePermissions),
    ['operator', operatorPermissions],
    ...workerIds.map((id): [string, SubjectPermissions] => [`worker-${id}`, workerPermissions(id)]),
  ];
  return [
    '# Made by scripts/nats-users.mjs from libs/contracts/src/messaging/permissions.ts: change it there.',
    'users: [',
    ...users.map(([user, permissions]) => userBlock(user, permissions)),
    ']',
    '',
  ].join('\n');
}

function userBlock(user: string, { publish, subscribe }: SubjectPermissions): string {
  const list = (subjects: readonly string[]): string =>
    subjects.map((subject) => `          ${JSON.stringify(subject)}`).join('\n');
  return [
    '  {',
    `    user: ${user}`,
    `    password: $${passwordVariable(user)}`,
    '    permissions: {',
    `      publish: { allow: [\n${list(publish)}\n      ] }`,
    `      subscribe: { allow: [\n${list(subscribe)}\n      ] }`,
    '    }',
    '  }',
  ].join('\n');
}
