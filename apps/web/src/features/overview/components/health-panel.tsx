import { Panel } from '@/components/ui/panel';
import { StatusPill, type Tone } from '@/components/ui/status-pill';
import type { HealthLiveSubscription } from '@/gql/graphql';
import { formatBytes, formatDuration, shortNumber } from '@/lib/format';
import styles from './overview.module.css';

const tones: Record<string, Tone> = { healthy: 'good', degraded: 'warn', unhealthy: 'bad' };

export function HealthPanel({ health }: { health: HealthLiveSubscription['health'] }) {
  return (
    <Panel title="Health" aside={<Health status={health.status} />}>
      <ul className={styles.services}>
        {health.services.map((service) => (
          <li key={service.service} className={styles.service}>
            <div>
              <div className={styles.serviceName}>{service.service}</div>
              <div className={styles.serviceNote}>
                {`up ${formatDuration(service.uptimeSeconds * 1_000)} · ${formatBytes(service.rssBytes)} · loop lag ${shortNumber(service.eventLoopLagMs)} ms`}
              </div>
              {service.reasons.map((reason) => (
                <div key={reason} className={styles.serviceNote}>
                  {reason}
                </div>
              ))}
            </div>
            <Health status={service.status} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Health({ status }: { status: string }) {
  return <StatusPill tone={tones[status] ?? 'neutral'} label={status} />;
}
