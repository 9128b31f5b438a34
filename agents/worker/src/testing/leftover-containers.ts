import { eventually } from '@gantry/testing/eventually';
import type Docker from 'dockerode';
import { expect } from 'vitest';

/** Removes what a killed agent left, all of it or what has the label; resolves when nothing is there any more. */
export async function removeLeftovers(docker: Docker, label?: string): Promise<void> {
  const filters: Record<string, string[]> = label === undefined ? {} : { label: [label] };
  await eventually(async () => {
    const left = await docker.listContainers({ all: true, filters });
    // A removal that the agent began may still be under way.
    for (const { Id } of left)
      await docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => undefined);
    expect(left).toEqual([]);
  });
}
