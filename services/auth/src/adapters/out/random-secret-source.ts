import { randomBytes } from 'node:crypto';
import type { SecretSource } from '../../application/secret-source.port.js';

export const randomSecretSource: SecretSource = { next: () => randomBytes(32).toString('base64url') };
