export interface ServerEvent {
  event: string;
  id?: string;
  data: unknown;
}

const HEARTBEAT_MS = 15_000;

/** Text of a server-sent event stream: a first comment that opens it at once, a comment every 15 s against idle proxies. */
export async function* eventStreamText(
  source: AsyncGenerator<ServerEvent>,
  heartbeatMs = HEARTBEAT_MS,
): AsyncGenerator<string> {
  yield ': connected\n\n';
  let pending = source.next();
  try {
    for (;;) {
      const result = await beforeHeartbeat(pending, heartbeatMs);
      if (result === 'heartbeat') {
        yield ': alive\n\n';
        continue;
      }
      if (result.done === true) return;
      pending = source.next();
      // JSON holds no line break, so one data line is enough.
      const { event, id, data } = result.value;
      yield `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    }
  } finally {
    pending.catch(() => undefined);
    void source.return(undefined).catch(() => undefined);
  }
}

async function beforeHeartbeat<T>(pending: Promise<T>, heartbeatMs: number): Promise<T | 'heartbeat'> {
  let timer: NodeJS.Timeout | undefined;
  const heartbeat = new Promise<'heartbeat'>((resolve) => {
    timer = setTimeout(() => resolve('heartbeat'), heartbeatMs);
  });
  try {
    return await Promise.race([pending, heartbeat]);
  } finally {
    clearTimeout(timer);
  }
}
