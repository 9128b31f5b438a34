import { createHash, randomBytes } from 'node:crypto';
import { commitArtifact, putArtifactChunk, UPLOAD_CHUNK_BYTES } from '@gantry/contracts/agents/artifact-upload';
import { streams, subjects } from '@gantry/contracts/messaging/streams';
import { deleteTask, getArtifact, readArtifact } from '@gantry/contracts/tasks/task-requests';
import type { TaskView } from '@gantry/contracts/tasks/task-view';
import { publishBytes } from '@gantry/jetstream/publisher';
import { manager } from '@gantry/jetstream/stream-admin';
import { deterministicId } from '@gantry/kernel/ids';
import { eventually } from '@gantry/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ada, as, TasksSystem } from './tasks-system.fixture.js';

let system: TasksSystem;
let task: TaskView;
beforeAll(async () => {
  system = await TasksSystem.start();
  task = await system.running();
});
afterAll(() => system?.stop());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const read = (artifactId: string, offset: number, length: number) =>
  system.client.requestBytes(readArtifact, { taskId: task.id, visibleTo: 'ada', artifactId, offset, length }, as(ada));
const worker = as({ kind: 'worker', id: 'w1' });

describe('upload', () => {
  it('keeps a file of 5 MB, readable in any range, also after a restart', async () => {
    const content = randomBytes(5_000_000);
    const artifact = await system.upload(task.id, 'models/best.bin', content);
    expect(artifact).toMatchObject({
      path: 'models/best.bin',
      sizeBytes: content.length,
      sha256: sha256(content),
      attempt: 1,
    });
    expect((await system.get(task.id)).artifacts).toContainEqual(artifact);
    expect(
      await system.client.request(getArtifact, { taskId: task.id, visibleTo: 'ada', artifactId: artifact.id }, as(ada)),
    ).toEqual(artifact);

    await system.restartService();
    const parts: Uint8Array[] = [];
    for (let offset = 0; ;) {
      const part = await read(artifact.id, offset, 300_001);
      if (part.length === 0) break;
      parts.push(part);
      offset += part.length;
    }
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    for (const [offset, length] of [
      [0, 1],
      [UPLOAD_CHUNK_BYTES - 1, 2],
      [UPLOAD_CHUNK_BYTES, UPLOAD_CHUNK_BYTES],
      [4_999_990, 100],
    ] as const) {
      const part = Buffer.from(await read(artifact.id, offset, length));
      expect(part.equals(content.subarray(offset, offset + length)), `${offset}+${length}`).toBe(true);
    }
    expect(await read(artifact.id, 5_000_000, 10)).toHaveLength(0);
  });

  it('keeps an empty file', async () => {
    const artifact = await system.upload(task.id, 'empty', new Uint8Array(0));
    expect(artifact.sizeBytes).toBe(0);
    expect(await read(artifact.id, 0, 100)).toHaveLength(0);
  });

  it('stores the same file once, however often it is sent', async () => {
    const first = await system.upload(task.id, 'twice', Buffer.from('abc'));
    const second = await system.upload(task.id, 'twice', Buffer.from('abc'));
    expect(second).toEqual(first);
    expect((await system.get(task.id)).artifacts.filter(({ path }) => path === 'twice')).toHaveLength(1);
    const jsm = await manager(system.service.nc);
    const subject = subjects.artifact(task.id, first.id);
    const info = await jsm.streams.info(streams.artifacts.name, { subjects_filter: `artifacts.${task.id}.>` });
    expect(info.state.subjects?.[subject]).toBe(1);
  });

  it('waits for an assignment that is still on its way', async () => {
    const { task: fresh } = await system.submit();
    const upload = system.upload(fresh.id, 'early.txt', Buffer.from('early'));
    await system.assign(fresh);
    expect((await upload).path).toBe('early.txt');
  });
});

describe('an upload is refused', () => {
  const upload = (change: object, path = 'wrong.bin') => {
    const artifactId = deterministicId(task.id, '1', path);
    const whole = {
      taskId: task.id,
      attempt: 1,
      artifactId,
      path,
      sizeBytes: 0,
      sha256: sha256(Buffer.alloc(0)),
      mediaType: 'x',
      chunks: [],
      ...change,
    };
    return system.client.request(commitArtifact('w1'), whole, worker);
  };

  it('when the checksum, the size, the order or the owner of its chunks is wrong', async () => {
    await expect(
      system.upload(task.id, 'sum.bin', Buffer.from('abc'), { sha256: sha256(Buffer.from('abd')) }),
    ).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
    await expect(upload({ sizeBytes: 1 })).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
    await expect(upload({ sizeBytes: 3, chunks: [{ sequence: 999_999, sizeBytes: 3 }] })).rejects.toMatchObject({
      code: 'ARTIFACT.CORRUPT',
    });

    const path = 'order.bin';
    const artifactId = deterministicId(task.id, '1', path);
    const put = (offset: number, text: string) =>
      system.client.sendBytes(
        putArtifactChunk('w1'),
        { taskId: task.id, attempt: 1, artifactId, offset },
        Buffer.from(text),
        worker,
      );
    const first = { sequence: (await put(0, 'abc')).sequence, sizeBytes: 3 };
    const second = { sequence: (await put(3, 'def')).sequence, sizeBytes: 3 };
    const whole = { sizeBytes: 6, sha256: sha256(Buffer.from('abcdef')) };
    await expect(upload({ ...whole, chunks: [second, first] }, path)).rejects.toMatchObject({
      code: 'ARTIFACT.CORRUPT',
    });
    const foreign = await publishBytes(system.service.nc, subjects.artifact(task.id, 'another'), Buffer.from('def'));
    await expect(
      upload({ ...whole, chunks: [first, { sequence: foreign.sequence, sizeBytes: 3 }] }, path),
    ).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
    expect(await upload({ ...whole, chunks: [first, second] }, path)).toMatchObject({ sizeBytes: 6 });
  });

  it('when its path or id is not allowed', async () => {
    await expect(upload({ path: '../etc/passwd' })).rejects.toMatchObject({ code: 'INPUT.INVALID' });
    await expect(upload({ path: 'other.bin' })).rejects.toMatchObject({ code: 'ARTIFACT.ID_MISMATCH' });
  });

  it('from another worker, for another attempt, or after the end', async () => {
    await expect(system.upload(task.id, 'x', Buffer.from('x'), { workerId: 'w2' })).rejects.toMatchObject({
      code: 'ARTIFACT.ATTEMPT_NOT_CURRENT',
    });
    await expect(system.upload(task.id, 'x', Buffer.from('x'), { attempt: 2 })).rejects.toMatchObject({
      code: 'ARTIFACT.ATTEMPT_NOT_CURRENT',
    });
    const ended = await system.running();
    await system.exit(ended.id);
    await system.until(ended.id, 'succeeded');
    await expect(system.upload(ended.id, 'x', Buffer.from('x'))).rejects.toMatchObject({
      code: 'ARTIFACT.ATTEMPT_NOT_CURRENT',
    });
    await expect(system.upload(ended.id, 'empty', new Uint8Array(0))).rejects.toMatchObject({
      code: 'ARTIFACT.ATTEMPT_NOT_CURRENT',
    });
  });
});

it('files of a deleted task that a crash left behind go at the next start', async () => {
  const gone = await system.running();
  await system.exit(gone.id);
  await system.until(gone.id, 'succeeded');
  await system.client.request(deleteTask, { taskId: gone.id, visibleTo: 'ada' }, as(ada));
  await publishBytes(system.service.nc, subjects.artifact(gone.id, 'left'), Buffer.from('left behind'));
  await system.restartService();
  await eventually(async () => {
    const jsm = await manager(system.service.nc);
    const info = await jsm.streams.info(streams.artifacts.name, { subjects_filter: `artifacts.${gone.id}.>` });
    expect(info.state.subjects ?? {}).toEqual({});
  });
});
