import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReservationLedger, type Reservation } from './reservation-ledger.js';

const reservation = fc.record({
  taskId: fc.constantFrom('t1', 't2', 't3', 't4', 't5'),
  attempt: fc.integer({ min: 1, max: 3 }),
  workerId: fc.constantFrom('w1', 'w2'),
  cpuCenti: fc.integer({ min: 1, max: 10_000 }),
  memoryMb: fc.integer({ min: 8, max: 100_000 }),
  storageMb: fc.integer({ min: 0, max: 100_000 }),
  gpuIds: fc.uniqueArray(fc.constantFrom('g1', 'g2', 'g3'), { maxLength: 3 }),
});
const step = fc.oneof(
  reservation.map((one) => ({ kind: 'reserve' as const, one })),
  reservation.map((one) => ({ kind: 'release' as const, one })),
);

it('totals are the sum of what is held, however often and in whatever order events come', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const ledger = new ReservationLedger();
      const model = new Map<string, Reservation>();
      for (const { kind, one } of steps) {
        if (kind === 'reserve') {
          expect(ledger.reserve(one)).toBe(!model.has(one.taskId));
          if (!model.has(one.taskId)) model.set(one.taskId, one);
        } else {
          const held = model.get(one.taskId);
          const matches = held?.attempt === one.attempt;
          expect(ledger.release(one.taskId, one.attempt)).toEqual(matches ? held : undefined);
          if (matches) model.delete(one.taskId);
        }
        for (const workerId of ['w1', 'w2']) {
          const held = [...model.values()].filter((entry) => entry.workerId === workerId);
          const sum = (of: (entry: Reservation) => number) => held.reduce((total, entry) => total + of(entry), 0);
          const totals = ledger.totals(workerId);
          expect(totals).toMatchObject({
            tasks: held.length,
            cpuCenti: sum((entry) => entry.cpuCenti),
            memoryMb: sum((entry) => entry.memoryMb),
            storageMb: sum((entry) => entry.storageMb),
          });
          expect([...totals.gpuIds].sort()).toEqual([...new Set(held.flatMap((entry) => entry.gpuIds))].sort());
          expect([...ledger.reservationsOn(workerId)].map(({ taskId }) => taskId).sort()).toEqual(
            held.map(({ taskId }) => taskId).sort(),
          );
        }
      }
      expect(ledger.size).toBe(model.size);
    }),
  );
});
