import { describe, expect, it } from 'vitest';
import { parseGpuLine, parseGpuNumber } from './nvidia-smi.parser.js';

describe('nvidia-smi lines', () => {
  it('reads a data-centre device', () => {
    expect(
      parseGpuLine(
        '0, GPU-5f1f7a2e-0000-1111-2222-333344445555, 550.54.15, 97, 71234, 81559, 63, 612.45, 1755, 2619, 0, NVIDIA H100 80GB HBM3',
      ),
    ).toEqual({
      index: 0,
      id: 'GPU-5f1f7a2e-0000-1111-2222-333344445555',
      driver: '550.54.15',
      model: 'NVIDIA H100 80GB HBM3',
      utilizationPercent: 97,
      memoryUsedMb: 71_234,
      memoryTotalMb: 81_559,
      temperatureC: 63,
      powerWatts: 612.45,
      smClockMhz: 1_755,
      memoryClockMhz: 2_619,
      eccErrors: 0,
    });
  });

  it('says null for what a consumer card, a MIG device or a lost one does not tell', () => {
    const line =
      '1, GPU-aaaa, 535.183.01, [N/A], 12, 24564, N/A, [Not Supported], [Unknown Error], [GPU is lost], [N/A], NVIDIA GeForce RTX 4090';
    expect(parseGpuLine(line)).toMatchObject({
      utilizationPercent: null,
      memoryUsedMb: 12,
      temperatureC: null,
      powerWatts: null,
      smClockMhz: null,
      memoryClockMhz: null,
      eccErrors: null,
    });
  });

  it('keeps a comma in a name', () => {
    expect(parseGpuLine('0, GPU-a, 1.0, 1, 2, 3, 4, 5, 6, 7, 8, Odd, Name')?.model).toBe('Odd, Name');
  });

  it.each([
    '',
    'No devices were found',
    'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.',
    '0, GPU-a, 1.0',
    'x, GPU-a, 1, 1, 1, 1, 1, 1, 1, 1, 1, n',
  ])('takes "%s" for no device', (line) => expect(parseGpuLine(line)).toBeUndefined());

  it.each([
    ['35', 35],
    ['35 %', 35],
    [' 71234 MiB', 71_234],
    ['-3', -3],
    ['1e9x', null],
    ['', null],
  ])('number "%s" is %s', (text, expected) => expect(parseGpuNumber(text)).toBe(expected));
});
