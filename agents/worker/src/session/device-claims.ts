import { renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { parseOrUndefined } from './attempt-journal.js';
import { textOf } from './small-file.js';

const claimSchema = z.object({
  key: z.string(),
  taskId: z.string(),
  attempt: z.number(),
  gpuIds: z.array(z.string()),
  /** Missing until the container is made. */
  containerId: z.string().optional(),
});
const fileSchema = z.object({ version: z.literal(1), claims: z.array(claimSchema) });

/** Devices on which processes of one attempt may be. */
export type DeviceClaim = Readonly<z.infer<typeof claimSchema>>;

/**
 * Which attempt has which devices: claimed before its container is made, given up when none of its processes is left on them. A
 * file of its own and no part of the attempt's folder, because a claim must outlive the container, the record and the agent.
 */
export class DeviceClaims {
  private readonly claims = new Map<string, DeviceClaim>();

  constructor(
    private readonly path: string,
    private readonly onWriteError: (error: unknown) => void,
  ) {
    const stored = fileSchema.safeParse(parseOrUndefined(textOf(path)));
    for (const claim of stored.data?.claims ?? []) this.claims.set(claim.key, claim);
  }

  list(): DeviceClaim[] {
    return [...this.claims.values()];
  }

  of(key: string): DeviceClaim | undefined {
    return this.claims.get(key);
  }

  put(claim: DeviceClaim): void {
    this.claims.set(claim.key, claim);
    this.write();
  }

  drop(key: string): void {
    if (this.claims.delete(key)) this.write();
  }

  private write(): void {
    try {
      writeFileSync(`${this.path}.new`, JSON.stringify({ version: 1, claims: this.list() }), { mode: 0o600 });
      renameSync(`${this.path}.new`, this.path);
    } catch (error) {
      this.onWriteError(error);
    }
  }
}
