import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogFrameParser } from './log-frame.parser.js';

function frame(stream: 1 | 2 | 3, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Cuts bytes at the given places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('log frame parser', () => {
  it('gives the frames back however the bytes are cut', () => {
    const frames = fc.array(
      fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.uint8Array({ minLength: 1, maxLength: 60 })),
      {
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(frames, fc.array(fc.nat(5_000), { maxLength: 30 }), (written, cuts) => {
        const bytes = Buffer.concat(written.map(([stream, payload]) => frame(stream, Buffer.from(payload))));
        const parser = new LogFrameParser();
        const read: [1 | 2, number[]][] = [];
        for (const piece of pieces(bytes, cuts)) {
          parser.push(piece, (stream, payload) => read.push([stream === 'stderr' ? 2 : 1, [...payload]]));
        }
        expect(read).toEqual(written.map(([stream, payload]) => [stream, [...payload]]));
      }),
    );
  });

  it('refuses what cannot be frames', () => {
    expect(() => new LogFrameParser().push(Buffer.from('plain text of a terminal'), () => undefined)).toThrow(
      /not made of frames/,
    );
  });

  it('fails with the words of an engine that cannot read its log any further, whole or in pieces', () => {
    const bytes = Buffer.concat([frame(1, Buffer.from('x\n')), frame(3, Buffer.from('Error grabbing logs: EOF\n'))]);
    const seen: string[] = [];
    const take = (_: string, payload: Buffer): number => seen.push(payload.toString());
    expect(() => new LogFrameParser().push(bytes, take)).toThrow(/^Error grabbing logs: EOF$/);
    const parser = new LogFrameParser();
    parser.push(bytes.subarray(0, 20), take);
    expect(() => parser.push(bytes.subarray(20), take)).toThrow(/^Error grabbing logs: EOF$/);
    expect(seen).toEqual(['x\n', 'x\n']);
  });

  it('reads a hundred thousand frames in small bites in linear time', () => {
    const bytes = Buffer.concat(
      Array.from({ length: 100_000 }, (_, index) => frame(1, Buffer.from(`line ${index}\n`))),
    );
    const parser = new LogFrameParser();
    let count = 0;
    for (let at = 0; at < bytes.length; at += 7) parser.push(bytes.subarray(at, at + 7), () => (count += 1));
    expect(count).toBe(100_000);
  });
});
