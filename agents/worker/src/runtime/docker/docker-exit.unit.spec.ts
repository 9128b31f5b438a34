import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { engineSince, exitOf } from './docker-exit.js';

const at = (second: number): string => new Date(second * 1_000).toISOString();
/** Times are seconds. */
const ended = (code: number, started: number, finished: number) => ({
  ExitCode: code,
  OOMKilled: false,
  StartedAt: at(started),
  FinishedAt: at(finished),
});
const unseen = (state: ReturnType<typeof ended>, since?: number, seenRunning = false): boolean =>
  exitOf(state, since === undefined ? undefined : since * 1_000, seenRunning).unseen === true;

describe('an end that the engine tells', () => {
  it.each([0, 7, 137, 255])('with code %i is believed to the engine that started the container', (code) => {
    expect(exitOf(ended(code, 1_010, 1_020), 1_000_000, false)).toEqual({
      exitCode: code,
      oomKilled: false,
      finishedAt: 1_020_000,
    });
  });

  it.each([0, 7, 255])('with code %i is believed if it was seen running under this engine', (code) => {
    expect(unseen(ended(code, 900, 1_020), 1_000, true)).toBe(false);
  });

  it('is made up if it came with the engine: containerd knew no process (255), or no container (0)', () => {
    expect(unseen(ended(255, 900, 1_001), 1_000)).toBe(true);
    expect(unseen(ended(0, 900, 1_001), 1_000)).toBe(true);
  });

  it('is believed of an end before the engine, which the shim has told', () => {
    expect(unseen(ended(0, 900, 950), 1_000)).toBe(false);
    expect(unseen(ended(7, 900, 950), 1_000)).toBe(false);
  });

  it('of code 255 is not believed of an end before the engine: the engine before it may have made it up', () => {
    expect(unseen(ended(255, 900, 950), 1_000)).toBe(true);
  });

  it('by SIGKILL is believed only where an engine could have heard that it was for want of memory', () => {
    expect(unseen(ended(137, 900, 950), 1_000)).toBe(true);
    expect(unseen(ended(137, 900, 1_001), 1_000)).toBe(true);
    expect(unseen({ ...ended(137, 900, 950), OOMKilled: true }, 1_000)).toBe(false);
    expect(unseen(ended(137, 900, 2_000), 1_000)).toBe(false);
    expect(unseen(ended(137, 1_001, 1_002), 1_000)).toBe(false);
    expect(unseen(ended(137, 900, 950), 1_000, true)).toBe(false);
  });

  it('of code 0 is believed long after the engine began', () => {
    expect(unseen(ended(0, 900, 2_000), 1_000)).toBe(false);
  });

  it('is believed of an engine elsewhere, of which nobody knows when it began, but for code 255', () => {
    expect(unseen(ended(0, 900, 950))).toBe(false);
    expect(unseen(ended(255, 900, 950))).toBe(true);
    expect(unseen(ended(255, 900, 950), undefined, true)).toBe(false);
  });

  it('never lies before the start: an engine may leave the time of the end empty', () => {
    expect(exitOf({ ...ended(255, 900, 0), FinishedAt: '0001-01-01T00:00:00Z' }, undefined, false).finishedAt).toBe(
      900_000,
    );
  });
});

describe('when an engine began', () => {
  it('is when it made its socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-socket-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const socket = join(folder, 'docker.sock');
    expect(await engineSince(`unix://${socket}`)).toBeUndefined();
    const before = Date.now();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => void server.close());
    const since = await engineSince(`unix://${socket}`);
    // File systems round down to their clock's tick.
    expect(since).toBeGreaterThan(before - 50);
    expect(since).toBeLessThanOrEqual(Date.now());
  });

  it('is not known of an engine elsewhere', async () => {
    expect(await engineSince('tcp://192.0.2.1:2375')).toBeUndefined();
  });
});
