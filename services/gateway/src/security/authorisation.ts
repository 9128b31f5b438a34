import { roles, type Role } from '@gantry/contracts/messaging/actor';
import type { Scope } from '@gantry/contracts/auth/auth-requests';
import { GantryError } from '@gantry/kernel/gantry-error';
import { principalOf, type Caller } from './caller.js';
import { effectiveRole } from './principal.js';

/** Calls that guess secrets are counted per client address, much tighter than the others. */
export type Throttle = 'credentials' | 'refresh' | 'general';

export type Access =
  | { kind: 'public'; throttle: Throttle }
  | {
      kind: 'member';
      roles: readonly Role[];
      /** All of them, for API keys and tickets; a log-in has every scope of its role. */
      scopes: readonly Scope[];
      /** An API key cannot do it: a leaked key must not be able to make further credentials. */
      sessionOnly: boolean;
      /** Allowed before a forced password change is done. */
      beforePasswordChange: boolean;
      throttle: Throttle;
    };

type MemberOptions = Partial<Omit<Extract<Access, { kind: 'member' }>, 'kind' | 'scopes'>>;

const open = (throttle: Throttle = 'general'): Access => ({ kind: 'public', throttle });
const member = (scopes: readonly Scope[], options: MemberOptions = {}): Access => ({
  kind: 'member',
  roles,
  scopes,
  sessionOnly: false,
  beforePasswordChange: false,
  throttle: 'general',
  ...options,
});
const account = member([], { sessionOnly: true });
const admin = member(['admin'], { roles: ['admin'] });
const readTasks = member(['tasks:read']);
const writeTasks = member(['tasks:write']);
const readWorkers = member(['workers:read']);
const readTelemetry = member(['telemetry:read']);
const readTaskTelemetry = member(['tasks:read', 'telemetry:read']);

const me = member([], { beforePasswordChange: true });
const changePassword = member([], { sessionOnly: true, beforePasswordChange: true, throttle: 'credentials' });

/**
 * Who may do what, for every door: GraphQL root fields (`Query.x`), HTTP routes (`GET /x`; HEAD counts as GET), raw
 * WebSockets (`WS /x`). What is not here does not start: the schema, the router and the upgrade handler all look it up at boot.
 */
export const accessTable: Readonly<Record<string, Access>> = {
  'Query.me': me,
  'Query.mySessions': account,
  'Query.myApiKeys': account,
  'Query.users': admin,
  'Query.task': readTasks,
  'Query.tasks': readTasks,
  'Query.taskLogs': readTasks,
  'Query.workers': readWorkers,
  'Query.worker': readWorkers,
  'Query.series': readTelemetry,
  'Query.summary': readTasks,
  'Query.health': member([]),
  'Query.deadLetters': admin,
  'Query.deadLetter': admin,

  'Mutation.register': open('credentials'),
  'Mutation.logIn': open('credentials'),
  'Mutation.refresh': open('refresh'),
  'Mutation.logOut': open('refresh'),
  'Mutation.updateProfile': account,
  'Mutation.changePassword': changePassword,
  'Mutation.createApiKey': account,
  'Mutation.revokeApiKey': account,
  'Mutation.revokeSession': account,
  'Mutation.changeRole': admin,
  'Mutation.replayDeadLetter': admin,
  'Mutation.discardDeadLetter': admin,
  'Mutation.submitTask': writeTasks,
  'Mutation.cancelTask': writeTasks,
  'Mutation.retryTask': writeTasks,
  'Mutation.deleteTask': writeTasks,
  'Mutation.createDownloadTicket': readTasks,

  'Subscription.task': readTasks,
  'Subscription.taskChanged': readTasks,
  'Subscription.taskLogs': readTasks,
  'Subscription.workerChanged': readWorkers,
  'Subscription.metrics': readTelemetry,
  'Subscription.summary': readTasks,
  'Subscription.health': member([]),

  // Every field of a GraphQL document is looked up above.
  'GET /graphql': open(),
  'POST /graphql': open(),
  'OPTIONS /graphql': open(),
  'OPTIONS *': open(),

  'GET /health': open(),
  'GET /health/live': open(),
  'GET /metrics': open(),
  'GET /api/docs': open(),
  'GET /api/docs/:asset': open(),
  'GET /api/docs/openapi.json': open(),

  'POST /api/auth/register': open('credentials'),
  'POST /api/auth/login': open('credentials'),
  'POST /api/auth/refresh': open('refresh'),
  'POST /api/auth/logout': open('refresh'),
  'GET /api/auth/profile': me,
  'PATCH /api/auth/profile': account,
  'POST /api/auth/password': changePassword,
  'GET /api/auth/keys': account,
  'POST /api/auth/keys': account,
  'DELETE /api/auth/keys/:id': account,
  'GET /api/auth/sessions': account,
  'DELETE /api/auth/sessions/:id': account,

  'POST /api/tasks': writeTasks,
  'GET /api/tasks': readTasks,
  'GET /api/tasks/:id': readTasks,
  'DELETE /api/tasks/:id': writeTasks,
  'POST /api/tasks/:id/retry': writeTasks,
  'POST /api/tasks/:id/cancel': writeTasks,
  'GET /api/tasks/:id/logs': readTasks,
  'GET /api/tasks/:id/metrics': readTaskTelemetry,
  'GET /api/tasks/:id/events': readTasks,
  'GET /api/tasks/:id/explain': readTasks,
  'GET /api/tasks/:id/files': readTasks,
  'GET /api/tasks/:id/files/:fileId': readTasks,
  'POST /api/tasks/:id/files/:fileId/ticket': readTasks,
  'POST /api/tasks/:id/logs/ticket': readTasks,

  'GET /api/workers': readWorkers,
  'GET /api/workers/:id': readWorkers,
  'GET /api/workers/:id/metrics': readTelemetry,
  'GET /api/workers/:id/tasks': readTasks,
  'GET /api/telemetry/workers': readTelemetry,
  'GET /api/telemetry/workers/:id': readTelemetry,
  'GET /api/stats': readTasks,
  'GET /api/admin/users': admin,
  'GET /api/admin/stats': admin,
  'GET /api/admin/dead-letters': admin,
  'GET /api/admin/dead-letters/:id': admin,
  'POST /api/admin/dead-letters/:id/replay': admin,
  'DELETE /api/admin/dead-letters/:id': admin,

  'GET /api/stream/tasks': readTasks,
  'GET /api/stream/metrics': readTelemetry,
  'WS /api/tasks/:id/stream': readTasks,
  'WS /api/tasks/:id/metrics/stream': readTaskTelemetry,
  'WS /api/telemetry/stream': readTelemetry,
  'WS /ws/telemetry': readTelemetry,
  'WS /ws/telemetry/:workerId': readTelemetry,
};

/** At boot: a door without an entry is a programming error and must not open. */
export function accessOf(operation: string): Access {
  const access = accessTable[operation];
  if (access === undefined) throw new Error(`${operation} is missing in the access table (security/authorisation.ts).`);
  return access;
}

/** Throws unless the caller may do it. */
export function authorise(access: Access, caller: Caller): void {
  if (access.kind === 'public') return;
  const principal = principalOf(caller);
  if (principal.mustChangePassword && !access.beforePasswordChange) {
    throw new GantryError(
      'AUTH.PASSWORD_CHANGE_REQUIRED',
      'forbidden',
      'Change your password first: it was set for you and is good for one log-in.',
    );
  }
  if (access.sessionOnly && principal.via !== 'session') {
    throw new GantryError('AUTH.LOG_IN_REQUIRED', 'forbidden', 'An API key cannot do this. Log in with your password.');
  }
  const missing = principal.scopes === null ? [] : access.scopes.filter((scope) => !principal.scopes?.includes(scope));
  if (missing.length > 0) {
    throw new GantryError(
      'AUTH.MISSING_SCOPE',
      'forbidden',
      `This API key lacks the scope ${missing.join(', ')}. Make a key that has it.`,
    );
  }
  if (!access.roles.includes(effectiveRole(principal))) {
    throw new GantryError('AUTH.FORBIDDEN', 'forbidden', 'Only administrators may do this.');
  }
}
