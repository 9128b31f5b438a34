import { expect, it } from 'vitest';
import { kindOf } from './message-tap.js';

it('says what a message is for, also where its subject is only an address', () => {
  const kinds = [
    kindOf('tasks.12.0192', 'acks.1', '{"id":"x"}'),
    kindOf('cmd.tasks.submit-task', '_INBOX.a.b', '{"spec":{}}'),
    kindOf('_INBOX.a.b', undefined, '{"task":{}}'),
    kindOf('_INBOX.a.c', undefined, '{"stream":"TASKS", "seq":5}'),
    kindOf('_INBOX.a.d', '$JS.ACK.TASKS.telemetry-tasks.1.2.3.4.5', '{"stream":"x"}'),
    kindOf('_INBOX.a.e', '$JS.ACK.TASKS.G7qNQxV2_1.1.2.3.4.5', '{}'),
    kindOf('$JS.ACK.REPORTS.tasks-reports.1.2.3.4.5', undefined, '+ACK'),
    kindOf('$JS.API.CONSUMER.MSG.NEXT.LOGS.telemetry-logs', '_INBOX.a.f', '{"batch":10}'),
    kindOf('$JS.API.STREAM.INFO.LOGS', '_INBOX.a.g', ''),
  ];
  expect(kinds).toEqual([
    'tasks.* published',
    'request cmd.tasks.submit-task',
    'answers to requests',
    'TASKS acknowledged to the writer',
    'TASKS delivered to telemetry-tasks',
    'TASKS delivered to a reader of its own',
    'REPORTS confirmed by tasks-reports',
    'LOGS asked for by telemetry-logs',
    'other requests to JetStream (API.STREAM.INFO)',
  ]);
});
