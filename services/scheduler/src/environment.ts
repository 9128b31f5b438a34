import { checkTiming } from '@gantry/contracts/messaging/lease-timing';
import { timing } from '@gantry/contracts/messaging/timing';
import { snapshotEnvironmentShape } from '@gantry/jetstream/snapshot-environment';
import { baseEnvironmentShape, parseEnvironment } from '@gantry/nest-platform/environment';
import { z } from 'zod';
import { policyNames, type PolicyName } from './domain/placement/placement-policy.js';

const policySchema = z.enum(policyNames);

/** `batch=spread,web=round-robin` */
const queuePoliciesSchema = z
  .string()
  .default('')
  .transform((text, context) => {
    const policies: Record<string, PolicyName> = {};
    for (const part of text.split(',').map((piece) => piece.trim())) {
      if (part === '') continue;
      const [queue = '', name, ...rest] = part.split('=').map((piece) => piece.trim());
      const policy = policySchema.safeParse(name);
      if (rest.length > 0 || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(queue) || !policy.success) {
        context.addIssue({
          code: 'custom',
          message: `Write queue=policy pairs, for example batch=spread; policies: ${policyNames.join(', ')}.`,
        });
        return z.NEVER;
      }
      policies[queue] = policy.data;
    }
    return policies;
  });

const schema = z.object({
  ...baseEnvironmentShape,
  ...snapshotEnvironmentShape,
  GANTRY_SCHEDULER_POLICY: policySchema.default('bin-pack'),
  GANTRY_QUEUE_POLICIES: queuePoliciesSchema,
  GANTRY_LEASE_MS: z.coerce
    .number()
    .int()
    .default(timing.defaultLeaseMs)
    .superRefine((leaseMs, context) => {
      for (const { constant, message } of checkTiming({ ...timing, leaseMs }))
        context.addIssue({
          code: 'custom',
          message: constant === 'leaseMs' ? message : `timing.${constant}: ${message}`,
        });
    }),
});
export type Environment = z.output<typeof schema>;

export const readEnvironment = (source?: NodeJS.ProcessEnv): Environment => parseEnvironment(schema, source);
