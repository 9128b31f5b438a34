import { z } from 'zod';

const messageSchema = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

/** Adds up the engine's pull messages (JSON lines, one layer each) to one percentage. */
export class PullTally {
  /** Newest line of each layer, and of the pull itself. */
  private readonly latest = new Map<string | undefined, string>();
  /** How many lines said something that was not said just before: some engines repeat where they stand while nothing moves. */
  news = 0;
  private readonly layers = new Map<string, { current: number; total: number }>();

  /** Takes one line; answers the error text if the line is an error. */
  take(line: string): string | undefined {
    const message = messageSchema.parse(JSON.parse(line));
    if (message.error !== undefined) return message.error;
    const { id, status, progressDetail } = message;
    if (this.latest.get(id) !== line) this.news += 1;
    this.latest.set(id, line);
    if (id === undefined) return undefined;
    const layer = this.layers.get(id);
    // Extraction counts from zero again over the same layer; only the download is counted.
    if (status === 'Downloading' && progressDetail?.total !== undefined && progressDetail.total > 0) {
      this.layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total });
    } else if (layer !== undefined && (status === 'Download complete' || status === 'Pull complete')) {
      layer.current = layer.total;
    }
    return undefined;
  }

  progress(image: string): { percent?: number; message: string } {
    let current = 0;
    let total = 0;
    for (const layer of this.layers.values()) {
      current += Math.min(layer.current, layer.total);
      total += layer.total;
    }
    const message = `Pulling ${image}`;
    return total === 0 ? { message } : { percent: Math.floor((current / total) * 100), message };
  }
}
