import type { Decider } from '@gantry/event-sourcing/decider';
import { decideApiKey, type ApiKeyCommand } from './api-key.decide.js';
import { evolveApiKey, type ApiKeyEvent } from './api-key.evolve.js';
import { noApiKey, type ApiKeyState } from './api-key.state.js';

export const apiKeyDecider: Decider<ApiKeyState, ApiKeyCommand, ApiKeyEvent> = {
  initialState: noApiKey,
  decide: decideApiKey,
  evolve: evolveApiKey,
};
