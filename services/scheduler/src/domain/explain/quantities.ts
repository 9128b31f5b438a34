/** At most two decimals, none that say nothing. */
export function amount(value: number): string {
  return String(Math.round(value * 100) / 100);
}

export function cores(centi: number): string {
  return centi === 100 ? '1 core' : `${amount(centi / 100)} cores`;
}

export function mebibytes(of: string): (value: number) => string {
  return (value) => (value >= 1_024 ? `${amount(value / 1_024)} GiB of ${of}` : `${amount(value)} MiB of ${of}`);
}

export function devices(count: number): string {
  return count === 1 ? '1 GPU' : `${count} GPUs`;
}
