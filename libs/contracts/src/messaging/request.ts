import { z } from 'zod';
import { actorSchema } from './actor.js';

/**
 * Travels with every request in the header `gantry-context` (JSON). The gateway makes it from the verified token;
 * services trust it because only the gateway's broker user may publish to `cmd.>` and `query.>`.
 */
export const requestContextSchema = z.object({
  actor: actorSchema,
  /** One id for all that one user action causes. */
  correlationId: z.string(),
  /** W3C trace context. */
  traceparent: z.string().optional(),
});
export type RequestContext = z.infer<typeof requestContextSchema>;

/** What a body or reply holds beside the JSON of its schema. `bytes`: raw payload, its JSON part goes in a header. */
export type BodyKind = 'json' | 'bytes';

/**
 * A request/reply contract: the subject, what goes in and what comes out. Both sides parse with these schemas.
 * Wire form: request body = JSON of `input` (with `inputBytes`: the raw bytes, and the JSON of `input` in the header
 * `gantry-input`); reply header `gantry-status` = `ok` | `error`; reply body = JSON of `output` or of `ErrorBody`
 * (with `outputBytes`: the raw bytes on success).
 */
export interface RequestContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly subject: string;
  readonly input: I;
  readonly output: O;
  readonly inputBytes: boolean;
  readonly outputBytes: boolean;
  /** Reply deadline in milliseconds. */
  readonly timeoutMs: number;
}

export type InputOf<C extends RequestContract> = z.input<C['input']>;
export type ParsedInputOf<C extends RequestContract> = z.output<C['input']>;
export type OutputOf<C extends RequestContract> = z.output<C['output']>;

export function defineRequest<I extends z.ZodType, O extends z.ZodType>(definition: {
  subject: string;
  input: I;
  output: O;
  inputBytes?: boolean;
  outputBytes?: boolean;
  timeoutMs?: number;
}): RequestContract<I, O> {
  return { inputBytes: false, outputBytes: false, timeoutMs: 10_000, ...definition };
}

export const requestHeaders = {
  context: 'gantry-context',
  input: 'gantry-input',
  status: 'gantry-status',
} as const;

/** Every service answers this one: `query.<service>.get-health`. */
export const healthReportSchema = z.object({
  service: z.string(),
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  reasons: z.array(z.string()),
  uptimeSeconds: z.number(),
  rssBytes: z.number(),
  cpuSeconds: z.number(),
  eventLoopLagMs: z.number(),
  version: z.string(),
});
export type HealthReport = z.infer<typeof healthReportSchema>;

export const getHealth = (service: string) =>
  defineRequest({
    subject: `query.${service}.get-health`,
    input: z.object({}),
    output: healthReportSchema,
    timeoutMs: 2_000,
  });
