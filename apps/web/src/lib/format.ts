/** Numbers and times as people read them. Pure; `now` is passed in. All times are epoch milliseconds. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `850 ms`, `4.2 s`, `3 m 05 s`, `2 h 07 m`, `3 d 4 h`. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  // 59.96 s must not print as "60.0 s".
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (ms < HOUR && seconds < 3_600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  const minutes = Math.floor(ms / MINUTE);
  if (ms < DAY) return `${Math.max(1, Math.floor(minutes / 60))} h ${pad(ms < HOUR ? 0 : minutes % 60)} m`;
  return `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Binary units: `0 B`, `1.5 KiB`, `12 MiB`, `1.25 GiB`. */
export function formatBytes(bytes: number): string {
  let value = Math.abs(bytes);
  let unit = 0;
  while (unit < BYTE_UNITS.length - 1 && Number(shortNumber(value)) >= 1024) {
    value /= 1024;
    unit += 1;
  }
  return `${bytes < 0 ? '-' : ''}${unit === 0 ? Math.round(value) : shortNumber(value)} ${BYTE_UNITS[unit]}`;
}

export const formatMebibytes = (mebibytes: number) => formatBytes(mebibytes * 1024 * 1024);
/** A part of a whole, in the unit of the whole: `8.8 of 32 GiB`. */
export function formatMebibytesOf(part: number, whole: number): string {
  const [, unit = 'B'] = formatMebibytes(whole).split(' ');
  const factor = 1024 ** BYTE_UNITS.indexOf(unit);
  return `${shortNumber((part * 1024 * 1024) / factor)} of ${formatMebibytes(whole)}`;
}

export const formatRate = (bytesPerSecond: number) => `${formatBytes(bytesPerSecond)}/s`;

/** Three significant digits at most, no trailing zeros: `0.25`, `1.5`, `12`, `1024`. */
export function shortNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

export const formatCores = (cores: number) => `${shortNumber(cores)} ${cores === 1 ? 'core' : 'cores'}`;
export const formatPercent = (value: number) => `${Math.round(value)} %`;

const counts = new Intl.NumberFormat('en-GB');
export const formatCount = (value: number) => counts.format(value);
export const formatLines = (lines: number) => `${formatCount(lines)} ${lines === 1 ? 'line' : 'lines'}`;

/** `just now`, `42 s ago`, `5 m ago`, `3 h ago`, `6 d ago`; the future reads `in 5 m`. */
export function formatRelative(time: number, now: number): string {
  const distance = Math.abs(now - time);
  if (distance < 5 * SECOND) return 'just now';
  const text =
    distance < MINUTE
      ? `${Math.floor(distance / SECOND)} s`
      : distance < HOUR
        ? `${Math.floor(distance / MINUTE)} m`
        : distance < DAY
          ? `${Math.floor(distance / HOUR)} h`
          : `${Math.floor(distance / DAY)} d`;
  return time <= now ? `${text} ago` : `in ${text}`;
}

/** Local date and time to the second, sortable: `2026-03-01 14:05:09`. */
export function formatDateTime(time: number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${formatClock(time)}`;
}

export function formatClock(time: number): string {
  const date = new Date(time);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

export function formatClockMilliseconds(time: number): string {
  return `${formatClock(time)}.${String(new Date(time).getMilliseconds()).padStart(3, '0')}`;
}

const pad = (value: number) => String(value).padStart(2, '0');
