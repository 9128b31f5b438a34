import type { IncomingMessage } from 'node:http';
import { pause } from '@gantry/jetstream/pause';
import Docker from 'dockerode';

/** The part of an engine error that dockerode passes on. */
interface EngineError extends Error {
  statusCode?: number;
  code?: string;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

export function isUnreachable(error: unknown): boolean {
  const { code, statusCode, message } = error as EngineError;
  return (
    statusCode === undefined &&
    ((code !== undefined && UNREACHABLE.has(code)) || /socket hang up|aborted/.test(message))
  );
}

export function statusOf(error: unknown): number | undefined {
  return (error as EngineError).statusCode;
}

/** The engine's own words without the wrapping of client, engine and runc. */
export function reasonOf(error: unknown): string {
  const text = (error as Error).message.replace(/^\(HTTP code \d+\)[^-]*- /, '').trim();
  const cause = /(exec: .*|could not select device driver.*|invalid mount.*)$/s.exec(text)?.[1] ?? text;
  return cause.replace(/: unknown$/, '');
}

/**
 * The client waits for ever for an engine that takes a call and is stuck. For calls whose outcome may be left open; not for a start, after
 * which something may run.
 */
export async function answerWithin<T>(milliseconds: number, call: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const silence = async (): Promise<never> => {
    await pause(milliseconds, settled.signal);
    throw new Error(`there was no answer for ${milliseconds / 1_000} s`);
  };
  try {
    return await Promise.race([call, silence()]);
  } finally {
    settled.abort();
  }
}

interface Modem {
  dial(
    options: {
      path: string;
      method: string;
      isStream: true;
      statusCodes: Record<number, true | string>;
      abortSignal: AbortSignal;
      authconfig?: object;
    },
    callback: (error: Error | null, response: IncomingMessage) => void,
  ): void;
}

/** `host`: `unix:///path`, `tcp://host:port`, or undefined for the default socket. */
export function connectEngine(host: string | undefined): Docker {
  if (host === undefined) return new Docker({ socketPath: '/var/run/docker.sock' });
  if (host.startsWith('unix://')) return new Docker({ socketPath: host.slice('unix://'.length) });
  const { protocol, hostname, port } = new URL(host);
  return new Docker({ protocol: protocol === 'https:' ? 'https' : 'http', host: hostname, port: Number(port || 2375) });
}

/**
 * A call whose answer is read piece by piece. dockerode's own `wait` never settles when the engine dies; an open response does:
 * reading it fails or ends.
 */
export function openResponse(
  docker: Docker,
  call: { method: 'GET' | 'POST'; path: string; query?: Record<string, string>; authconfig?: object },
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const query = new URLSearchParams(call.query ?? {}).toString();
  return new Promise((resolve, reject) => {
    (docker.modem as Modem).dial(
      {
        path: query === '' ? call.path : `${call.path}?${query}&`,
        method: call.method,
        isStream: true,
        statusCodes: { 200: true, 400: 'bad request', 404: 'not found', 409: 'conflict', 500: 'server error' },
        abortSignal: signal,
        ...(call.authconfig === undefined ? {} : { authconfig: call.authconfig }),
      },
      (error, response) => (error === null ? resolve(response) : reject(error)),
    );
  });
}
