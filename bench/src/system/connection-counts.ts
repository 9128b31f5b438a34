import { z } from 'zod';

/** What one client has sent to the broker and received from it. */
export interface MessageCount {
  readonly sent: number;
  readonly received: number;
}

const connectionsSchema = z.object({
  connections: z.array(z.object({ name: z.string().default(''), in_msgs: z.number(), out_msgs: z.number() })),
});

/** Messages of each client since its start, by the name of its connection, as the broker counts them. */
async function countsOf(monitorUrl: string): Promise<Map<string, MessageCount>> {
  const answer = await fetch(`${monitorUrl}/connz?limit=1024`);
  const { connections } = connectionsSchema.parse(await answer.json());
  return new Map(connections.map(({ name, in_msgs, out_msgs }) => [name, { sent: in_msgs, received: out_msgs }]));
}

/** Messages of the clients since the counter was made. */
export class ConnectionCounts {
  private constructor(
    private readonly monitorUrl: string,
    private readonly started: ReadonlyMap<string, MessageCount>,
  ) {}

  static async start(monitorUrl: string): Promise<ConnectionCounts> {
    return new ConnectionCounts(monitorUrl, await countsOf(monitorUrl));
  }

  async read(): Promise<Map<string, MessageCount>> {
    const now = await countsOf(this.monitorUrl);
    return new Map(
      [...now].map(([name, { sent, received }]) => {
        const before = this.started.get(name) ?? { sent: 0, received: 0 };
        return [name, { sent: sent - before.sent, received: received - before.received }];
      }),
    );
  }
}
