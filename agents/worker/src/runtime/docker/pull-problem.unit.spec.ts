import { describe, expect, it } from 'vitest';
import { RuntimeProblem } from '../container-runtime.port.js';
import { EngineWord, pullProblem } from './pull-problem.js';

const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code });
const withStatus = (message: string, statusCode: number): Error => Object.assign(new Error(message), { statusCode });

describe('a failed pull', () => {
  it.each([
    withCode('aborted', 'ECONNRESET'),
    withCode('socket hang up', 'ECONNRESET'),
    withCode('connect ECONNREFUSED /var/run/docker.sock', 'ECONNREFUSED'),
    withCode('connect ENOENT /var/run/docker.sock', 'ENOENT'),
    new SyntaxError('Unexpected token < in JSON'),
    new RuntimeProblem('infrastructure_error', 'The container engine did not answer: socket hang up'),
  ])('is the fault of the machine, and worth another try, where the engine did not speak: %s', (error) => {
    const { problem, retryable } = pullProblem('some:1', error);
    expect([problem.outcome, retryable]).toEqual(['infrastructure_error', true]);
  });

  it.each([
    [new EngineWord('write /x: no space left on device'), 'infrastructure_error', false],
    [
      withStatus('(HTTP code 500) server error - mkdir /var/lib/docker/tmp: read-only file system ', 500),
      'infrastructure_error',
      true,
    ],
    // The registry's address, in the engine's own words.
    [new EngineWord('dial tcp 10.0.0.1:443: connect: connection refused'), 'image_error', true],
    [new EngineWord('read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer'), 'image_error', true],
    [new EngineWord('toomanyrequests: You have reached your pull rate limit'), 'image_error', true],
    [new EngineWord('manifest unknown'), 'image_error', false],
    [withStatus('(HTTP code 404) unexpected - pull access denied for x ', 404), 'image_error', false],
    [new RuntimeProblem('image_error', 'no valid reference'), 'image_error', false],
  ] as const)('is judged by the words of the engine: %s', (error, outcome, again) => {
    const { problem, retryable } = pullProblem('some:1', error);
    expect([problem.outcome, retryable]).toEqual([outcome, again]);
  });
});
