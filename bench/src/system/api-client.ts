import { GantryClient } from '@gantry/client/gantry-client';
import { adminEmail, adminPassword, type GantrySystem } from '@gantry/testing/gantry-system.fixture';

/** The first admin's client with an API key of its own. */
export async function adminClient(system: Pick<GantrySystem, 'apiUrl'>): Promise<GantryClient> {
  const { accessToken } = await new GantryClient({ apiUrl: system.apiUrl }).logIn(adminEmail, adminPassword);
  const { key } = await new GantryClient({ apiUrl: system.apiUrl, credentials: () => accessToken }).createApiKey(
    'bench',
  );
  return new GantryClient({ apiUrl: system.apiUrl, credentials: () => key });
}
