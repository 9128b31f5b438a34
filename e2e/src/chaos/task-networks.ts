import { engineDelete, engineGet } from './engine-call.js';

/**
 * Removes the networks that agents made for their tasks. An engine that ends leaves their bridges with the machine, and the next run
 * would find the addresses taken. An engine that does not answer keeps them: nothing else knows which bridges are its.
 */
export async function removeTaskNetworks(host: string, agents: readonly string[]): Promise<void> {
  const listed = await engineGet(host, '/networks').catch(() => '[]');
  for (const { Id, Name } of JSON.parse(listed) as { Id: string; Name: string }[])
    if (agents.some((agent) => Name === `gantry-${agent}`))
      await engineDelete(host, `/networks/${Id}`).catch(() => undefined);
}
