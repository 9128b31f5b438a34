'use client';
import { Anchor, Code } from '@mantine/core';
import Link from 'next/link';
import { CopyId } from '@/components/ui/copy-id';
import { Facts, type Fact } from '@/components/ui/facts';
import { Panel } from '@/components/ui/panel';
import { RelativeTime } from '@/components/ui/relative-time';
import type { TaskDetailFragment } from '@/gql/graphql';
import { formatCores, formatDuration, formatMebibytes } from '@/lib/format';
import { quoteCommandLine } from '../model/argv';

export function TaskFacts({ task }: { task: TaskDetailFragment }) {
  const { resources, usage } = task;
  const items: Fact[] = [
    { label: 'Image', wide: true, value: <CopyId value={task.image} label="image" /> },
    {
      label: 'Command',
      wide: true,
      value:
        task.command.length === 0 ? (
          <span className="soft">the image’s own</span>
        ) : (
          <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {quoteCommandLine(task.command)}
          </Code>
        ),
    },
    {
      label: 'Worker',
      value: task.workerId ? (
        <Anchor component={Link} href={`/workers/${task.workerId}`} inherit>
          {task.workerName}
        </Anchor>
      ) : (
        <span className="soft">none yet</span>
      ),
    },
    { label: 'Queue', value: `${task.queue}, priority ${task.priority}` },
    { label: 'CPU asked', value: formatCores(resources.cpu) },
    { label: 'Memory asked', value: memoryWords(task) },
    { label: 'Scratch space asked', value: formatMebibytes(resources.storageMb) },
    { label: 'GPUs asked', value: gpuWords(resources.gpu) },
    { label: 'Time limit', value: formatDuration(task.timeoutSeconds * 1_000) },
    { label: 'Retries', value: retryWords(task) },
    ...(task.leaseSeconds ? [{ label: 'Lease', value: formatDuration(task.leaseSeconds * 1_000) }] : []),
    { label: 'Network', value: task.network },
    { label: 'Submitted', value: <RelativeTime time={task.createdAt} /> },
    { label: 'Started', value: <RelativeTime time={task.startedAt} /> },
    { label: 'Finished', value: <RelativeTime time={task.finishedAt} /> },
    ...(task.exitCode === null || task.exitCode === undefined
      ? []
      : [{ label: 'Exit code', value: <span className="mono">{task.exitCode}</span> }]),
    ...(usage
      ? [
          { label: 'CPU time used', value: formatDuration(usage.cpuSeconds * 1_000) },
          { label: 'Peak memory', value: formatMebibytes(usage.peakMemoryMb) },
        ]
      : []),
    ...(task.env.length > 0 ? [{ label: 'Environment', wide: true, value: <Pairs pairs={task.env} /> }] : []),
    ...(task.labels.length > 0 ? [{ label: 'Labels', wide: true, value: <Pairs pairs={task.labels} /> }] : []),
    ...(task.workerLabels.length > 0
      ? [{ label: 'Needs a worker labelled', wide: true, value: <Pairs pairs={task.workerLabels} /> }]
      : []),
    ...(task.tags.length > 0
      ? [
          {
            label: 'Tags',
            wide: true,
            value: task.tags.map((tag) => (
              <Anchor key={tag} component={Link} href={`/tasks?tag=${encodeURIComponent(tag)}`} mr="sm" inherit>
                {tag}
              </Anchor>
            )),
          },
        ]
      : []),
  ];
  return (
    <Panel title="Task">
      {task.description ? <p style={{ margin: '0 0 14px', whiteSpace: 'pre-wrap' }}>{task.description}</p> : null}
      <Facts items={items} />
    </Panel>
  );
}

function memoryWords({ resources, memoryMb }: TaskDetailFragment): string {
  const asked = formatMebibytes(resources.memoryMb);
  return memoryMb ? `${asked}, grown to ${formatMebibytes(memoryMb)}` : asked;
}

function retryWords({ retries, retryMemoryFactor, retryMemoryMaxMb }: TaskDetailFragment): string {
  if (!retryMemoryFactor || retryMemoryFactor === 1) return `${retries}`;
  const limit = retryMemoryMaxMb ? `, at most ${formatMebibytes(retryMemoryMaxMb)}` : '';
  return `${retries}, after running out of memory with ${retryMemoryFactor} times as much${limit}`;
}

function gpuWords(gpu: TaskDetailFragment['resources']['gpu']): string {
  if (gpu.count === 0) return 'none';
  return [
    `${gpu.count}`,
    gpu.model ? `× ${gpu.model}` : null,
    gpu.memoryMb ? `with ${formatMebibytes(gpu.memoryMb)}` : null,
  ]
    .filter(Boolean)
    .join(' ');
}

function Pairs({ pairs }: { pairs: readonly { key: string; value: string }[] }) {
  return (
    <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {pairs.map(({ key, value }) => `${key}=${value}`).join('\n')}
    </Code>
  );
}
