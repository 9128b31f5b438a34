/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type DeadLetterState =
  | 'discarded'
  | 'open'
  | 'replayed';

export type FailureClass =
  | 'image'
  | 'infrastructure'
  | 'invalid'
  | 'out_of_memory'
  | 'timeout'
  | 'user_exit';

export type GpuRequestInput = {
  count?: number | null | undefined;
  memoryMb?: number | null | undefined;
  model?: string | null | undefined;
};

export type KeyValueInput = {
  key: string;
  value: string;
};

export type LogStream =
  | 'stderr'
  | 'stdout'
  | 'system';

export type ResourceRequestInput = {
  cpu?: number | null | undefined;
  gpu?: GpuRequestInput | null | undefined;
  memoryMb?: number | null | undefined;
  storageMb?: number | null | undefined;
};

export type Role =
  | 'admin'
  | 'user';

export type SubmitTaskInput = {
  command?: Array<string> | null | undefined;
  description?: string | null | undefined;
  env?: Array<KeyValueInput> | null | undefined;
  /** The same key never makes two tasks. */
  idempotencyKey?: string | null | undefined;
  image: string;
  labels?: Array<KeyValueInput> | null | undefined;
  /** How long the worker may be out of touch before the task is stopped there and placed again: 15 s to 7 days, default 60 s. */
  leaseSeconds?: number | null | undefined;
  name: string;
  network?: string | null | undefined;
  priority?: number | null | undefined;
  queue?: string | null | undefined;
  resources?: ResourceRequestInput | null | undefined;
  retries?: number | null | undefined;
  /** 1 to 4: a retry after running out of memory gets so many times the memory of the attempt before. */
  retryMemoryFactor?: number | null | undefined;
  /** Such retries never get more than this, MiB. */
  retryMemoryMaxMb?: number | null | undefined;
  tags?: Array<string> | null | undefined;
  timeoutSeconds?: number | null | undefined;
  workerLabels?: Array<KeyValueInput> | null | undefined;
};

/** All that is given must hold. `search`: part of the name, or the beginning of the id. */
export type TaskFilterInput = {
  ownerId?: string | number | null | undefined;
  queue?: string | null | undefined;
  search?: string | null | undefined;
  statuses?: Array<TaskStatus> | null | undefined;
  tag?: string | null | undefined;
  workerId?: string | number | null | undefined;
};

export type TaskSort =
  | 'created'
  | 'duration'
  | 'status';

export type TaskStatus =
  | 'assigned'
  | 'cancelled'
  | 'failed'
  | 'queued'
  | 'running'
  | 'starting'
  | 'succeeded'
  | 'timed_out';

export type WorkerStatus =
  | 'active'
  | 'inactive'
  | 'leaving'
  | 'lost'
  | 'overloaded';

export type LogInMutationVariables = Exact<{
  email: string;
  password: string;
}>;


export type LogInMutation = { logIn: { accessToken: string, accessTokenExpiresAt: number, refreshToken: string | null, refreshTokenExpiresAt: number, user: { id: string, email: string, name: string, role: Role, mustChangePassword: boolean } } };

export type RegisterMutationVariables = Exact<{
  email: string;
  password: string;
  name: string;
}>;


export type RegisterMutation = { register: { id: string, email: string, name: string, role: Role } };

export type ChangePasswordMutationVariables = Exact<{
  currentPassword: string;
  newPassword: string;
}>;


export type ChangePasswordMutation = { changePassword: { id: string, mustChangePassword: boolean } };

export type CreateApiKeyMutationVariables = Exact<{
  name: string;
  scopes?: Array<string> | string | null | undefined;
  expiresAt?: number | null | undefined;
}>;


export type CreateApiKeyMutation = { createApiKey: { key: string, apiKey: { id: string, name: string, prefix: string } } };

export type MeQueryVariables = Exact<{ [key: string]: never; }>;


export type MeQuery = { me: { id: string, email: string, name: string, role: Role, mustChangePassword: boolean } };

export type DeadLetterFieldsFragment = { id: string, stream: string, consumer: string, subject: string, sequence: number, code: string, reason: string, failures: number, sizeBytes: number, deadLetteredAt: number, state: DeadLetterState, resolvedAt: number | null, resolvedBy: string | null };

export type DeadLettersQueryVariables = Exact<{
  limit?: number | null | undefined;
  after?: string | number | null | undefined;
  stream?: string | null | undefined;
  consumer?: string | null | undefined;
  state?: string | null | undefined;
}>;


export type DeadLettersQuery = { deadLetters: { next: string | null, deadLetters: Array<{ id: string, stream: string, consumer: string, subject: string, sequence: number, code: string, reason: string, failures: number, sizeBytes: number, deadLetteredAt: number, state: DeadLetterState, resolvedAt: number | null, resolvedBy: string | null }> } };

export type DeadLetterQueryVariables = Exact<{
  id: string | number;
}>;


export type DeadLetterQuery = { deadLetter: { id: string, stream: string, consumer: string, subject: string, sequence: number, code: string, reason: string, failures: number, sizeBytes: number, deadLetteredAt: number, state: DeadLetterState, resolvedAt: number | null, resolvedBy: string | null, payload: string | null, payloadComplete: boolean, headers: Array<{ key: string, value: string }> } };

export type ReplayDeadLetterMutationVariables = Exact<{
  id: string | number;
}>;


export type ReplayDeadLetterMutation = { replayDeadLetter: { id: string, stream: string, consumer: string, subject: string, sequence: number, code: string, reason: string, failures: number, sizeBytes: number, deadLetteredAt: number, state: DeadLetterState, resolvedAt: number | null, resolvedBy: string | null } };

export type DiscardDeadLetterMutationVariables = Exact<{
  id: string | number;
}>;


export type DiscardDeadLetterMutation = { discardDeadLetter: { id: string, stream: string, consumer: string, subject: string, sequence: number, code: string, reason: string, failures: number, sizeBytes: number, deadLetteredAt: number, state: DeadLetterState, resolvedAt: number | null, resolvedBy: string | null } };

export type WorkersQueryVariables = Exact<{ [key: string]: never; }>;


export type WorkersQuery = { workers: Array<{ id: string, name: string, status: WorkerStatus, hostname: string, address: string, os: string, runtime: string, runtimeVersion: string, completed: number, failed: number, startedAt: number, lastHeartbeatAt: number, capacity: { cpu: number, memoryMb: number, storageMb: number }, allocated: { cpu: number, memoryMb: number, storageMb: number }, gpus: Array<{ id: string, index: number, model: string, memoryMb: number, allocated: boolean }>, labels: Array<{ key: string, value: string }>, usage: { cpuPercent: number, memoryUsedMb: number, storageUsedMb: number, load1: number }, running: Array<{ taskId: string, attempt: number, phase: string }> }> };

export type SummaryQueryVariables = Exact<{ [key: string]: never; }>;


export type SummaryQuery = { summary: { total: number, last24h: number, averageDurationSeconds: number | null, activeWorkers: number, totalWorkers: number, degraded: boolean, byStatus: Array<{ status: TaskStatus, count: number }> } };

export type HealthQueryVariables = Exact<{ [key: string]: never; }>;


export type HealthQuery = { health: { status: string, httpRequests: number, httpErrors: number, latencyP50Ms: number | null, latencyP99Ms: number | null, services: Array<{ service: string, status: string, reasons: Array<string>, uptimeSeconds: number, rssBytes: number, cpuSeconds: number, eventLoopLagMs: number }> } };

export type TaskFieldsFragment = { id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> };

export type SubmitTaskMutationVariables = Exact<{
  input: SubmitTaskInput;
}>;


export type SubmitTaskMutation = { submitTask: { queuePosition: number | null, duplicate: boolean, task: { id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> } } };

export type CancelTaskMutationVariables = Exact<{
  id: string | number;
  reason?: string | null | undefined;
  graceSeconds?: number | null | undefined;
}>;


export type CancelTaskMutation = { cancelTask: { id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> } };

export type RetryTaskMutationVariables = Exact<{
  id: string | number;
}>;


export type RetryTaskMutation = { retryTask: { id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> } };

export type DeleteTaskMutationVariables = Exact<{
  id: string | number;
}>;


export type DeleteTaskMutation = { deleteTask: boolean };

export type TaskQueryVariables = Exact<{
  id: string | number;
}>;


export type TaskQuery = { task: { queuePosition: number | null, id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> } };

export type TaskHistoryQueryVariables = Exact<{
  id: string | number;
}>;


export type TaskHistoryQuery = { task: { id: string, history: Array<{ version: number, occurredAt: number, actor: string, type: string, data: unknown }> } };

export type ExplainTaskQueryVariables = Exact<{
  id: string | number;
}>;


export type ExplainTaskQuery = { task: { id: string, status: TaskStatus, explanation: { state: string, summary: string, queuePosition: number | null, checkedAt: number, workers: Array<{ workerId: string, workerName: string, fits: boolean, unmet: Array<{ resource: string, requested: string, available: string, never: boolean, message: string }> }> } } };

export type TasksQueryVariables = Exact<{
  filter?: TaskFilterInput | null | undefined;
  sort?: TaskSort | null | undefined;
  descending?: boolean | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type TasksQuery = { tasks: { degraded: boolean, edges: Array<{ node: { id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type TaskLogsQueryVariables = Exact<{
  taskId: string | number;
  attempt?: number | null | undefined;
  afterSeq?: number | null | undefined;
  tail?: boolean | null | undefined;
  stream?: LogStream | null | undefined;
  search?: string | null | undefined;
  limit?: number | null | undefined;
}>;


export type TaskLogsQuery = { taskLogs: { attempt: number | null, lastSeq: number, complete: boolean, lines: Array<{ seq: number, n: number, stream: LogStream, t: number, text: string, partial: boolean }> } };

export type FollowTaskSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type FollowTaskSubscription = { task: { id: string, version: number, name: string, description: string, ownerId: string, ownerName: string, image: string, command: Array<string>, tags: Array<string>, queue: string, priority: number, timeoutSeconds: number, retries: number, retryMemoryFactor: number | null, retryMemoryMaxMb: number | null, memoryMb: number | null, leaseSeconds: number | null, retryOf: string | null, status: TaskStatus, attempt: number, message: string | null, progressPercent: number | null, workerId: string | null, workerName: string | null, exitCode: number | null, createdAt: number, queuedAt: number, startedAt: number | null, finishedAt: number | null, resources: { cpu: number, memoryMb: number, storageMb: number, gpu: { count: number, model: string | null, memoryMb: number | null } }, failure: { class: FailureClass, message: string } | null, usage: { cpuSeconds: number, peakMemoryMb: number, durationMs: number } | null, artifacts: Array<{ id: string, attempt: number, path: string, sizeBytes: number, sha256: string, mediaType: string, storedAt: number, url: string }> } };

export type FollowLogsSubscriptionVariables = Exact<{
  taskId: string | number;
  attempt?: number | null | undefined;
  afterSeq?: number | null | undefined;
}>;


export type FollowLogsSubscription = { taskLogs: { attempt: number, complete: boolean, lines: Array<{ seq: number, n: number, stream: LogStream, t: number, text: string, partial: boolean }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const DeadLetterFieldsFragmentDoc = new TypedDocumentString(`
    fragment DeadLetterFields on DeadLetter {
  id
  stream
  consumer
  subject
  sequence
  code
  reason
  failures
  sizeBytes
  deadLetteredAt
  state
  resolvedAt
  resolvedBy
}
    `, {"fragmentName":"DeadLetterFields"}) as unknown as TypedDocumentString<DeadLetterFieldsFragment, unknown>;
export const TaskFieldsFragmentDoc = new TypedDocumentString(`
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}
    `, {"fragmentName":"TaskFields"}) as unknown as TypedDocumentString<TaskFieldsFragment, unknown>;
export const LogInDocument = new TypedDocumentString(`
    mutation LogIn($email: String!, $password: String!) {
  logIn(email: $email, password: $password, cookie: false) {
    accessToken
    accessTokenExpiresAt
    refreshToken
    refreshTokenExpiresAt
    user {
      id
      email
      name
      role
      mustChangePassword
    }
  }
}
    `) as unknown as TypedDocumentString<LogInMutation, LogInMutationVariables>;
export const RegisterDocument = new TypedDocumentString(`
    mutation Register($email: String!, $password: String!, $name: String!) {
  register(email: $email, password: $password, name: $name) {
    id
    email
    name
    role
  }
}
    `) as unknown as TypedDocumentString<RegisterMutation, RegisterMutationVariables>;
export const ChangePasswordDocument = new TypedDocumentString(`
    mutation ChangePassword($currentPassword: String!, $newPassword: String!) {
  changePassword(currentPassword: $currentPassword, newPassword: $newPassword) {
    id
    mustChangePassword
  }
}
    `) as unknown as TypedDocumentString<ChangePasswordMutation, ChangePasswordMutationVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation CreateApiKey($name: String!, $scopes: [String!], $expiresAt: Time) {
  createApiKey(name: $name, scopes: $scopes, expiresAt: $expiresAt) {
    key
    apiKey {
      id
      name
      prefix
    }
  }
}
    `) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const MeDocument = new TypedDocumentString(`
    query Me {
  me {
    id
    email
    name
    role
    mustChangePassword
  }
}
    `) as unknown as TypedDocumentString<MeQuery, MeQueryVariables>;
export const DeadLettersDocument = new TypedDocumentString(`
    query DeadLetters($limit: Int, $after: ID, $stream: String, $consumer: String, $state: String) {
  deadLetters(
    limit: $limit
    after: $after
    stream: $stream
    consumer: $consumer
    state: $state
  ) {
    deadLetters {
      ...DeadLetterFields
    }
    next
  }
}
    fragment DeadLetterFields on DeadLetter {
  id
  stream
  consumer
  subject
  sequence
  code
  reason
  failures
  sizeBytes
  deadLetteredAt
  state
  resolvedAt
  resolvedBy
}`) as unknown as TypedDocumentString<DeadLettersQuery, DeadLettersQueryVariables>;
export const DeadLetterDocument = new TypedDocumentString(`
    query DeadLetter($id: ID!) {
  deadLetter(id: $id) {
    id
    stream
    consumer
    subject
    sequence
    code
    reason
    failures
    sizeBytes
    deadLetteredAt
    state
    resolvedAt
    resolvedBy
    headers {
      key
      value
    }
    payload
    payloadComplete
  }
}
    `) as unknown as TypedDocumentString<DeadLetterQuery, DeadLetterQueryVariables>;
export const ReplayDeadLetterDocument = new TypedDocumentString(`
    mutation ReplayDeadLetter($id: ID!) {
  replayDeadLetter(id: $id) {
    ...DeadLetterFields
  }
}
    fragment DeadLetterFields on DeadLetter {
  id
  stream
  consumer
  subject
  sequence
  code
  reason
  failures
  sizeBytes
  deadLetteredAt
  state
  resolvedAt
  resolvedBy
}`) as unknown as TypedDocumentString<ReplayDeadLetterMutation, ReplayDeadLetterMutationVariables>;
export const DiscardDeadLetterDocument = new TypedDocumentString(`
    mutation DiscardDeadLetter($id: ID!) {
  discardDeadLetter(id: $id) {
    ...DeadLetterFields
  }
}
    fragment DeadLetterFields on DeadLetter {
  id
  stream
  consumer
  subject
  sequence
  code
  reason
  failures
  sizeBytes
  deadLetteredAt
  state
  resolvedAt
  resolvedBy
}`) as unknown as TypedDocumentString<DiscardDeadLetterMutation, DiscardDeadLetterMutationVariables>;
export const WorkersDocument = new TypedDocumentString(`
    query Workers {
  workers {
    id
    name
    status
    hostname
    address
    os
    runtime
    runtimeVersion
    capacity {
      cpu
      memoryMb
      storageMb
    }
    allocated {
      cpu
      memoryMb
      storageMb
    }
    gpus {
      id
      index
      model
      memoryMb
      allocated
    }
    labels {
      key
      value
    }
    usage {
      cpuPercent
      memoryUsedMb
      storageUsedMb
      load1
    }
    running {
      taskId
      attempt
      phase
    }
    completed
    failed
    startedAt
    lastHeartbeatAt
  }
}
    `) as unknown as TypedDocumentString<WorkersQuery, WorkersQueryVariables>;
export const SummaryDocument = new TypedDocumentString(`
    query Summary {
  summary {
    total
    last24h
    byStatus {
      status
      count
    }
    averageDurationSeconds
    activeWorkers
    totalWorkers
    degraded
  }
}
    `) as unknown as TypedDocumentString<SummaryQuery, SummaryQueryVariables>;
export const HealthDocument = new TypedDocumentString(`
    query Health {
  health {
    status
    httpRequests
    httpErrors
    latencyP50Ms
    latencyP99Ms
    services {
      service
      status
      reasons
      uptimeSeconds
      rssBytes
      cpuSeconds
      eventLoopLagMs
    }
  }
}
    `) as unknown as TypedDocumentString<HealthQuery, HealthQueryVariables>;
export const SubmitTaskDocument = new TypedDocumentString(`
    mutation SubmitTask($input: SubmitTaskInput!) {
  submitTask(input: $input) {
    task {
      ...TaskFields
    }
    queuePosition
    duplicate
  }
}
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}`) as unknown as TypedDocumentString<SubmitTaskMutation, SubmitTaskMutationVariables>;
export const CancelTaskDocument = new TypedDocumentString(`
    mutation CancelTask($id: ID!, $reason: String, $graceSeconds: Float) {
  cancelTask(id: $id, reason: $reason, graceSeconds: $graceSeconds) {
    ...TaskFields
  }
}
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}`) as unknown as TypedDocumentString<CancelTaskMutation, CancelTaskMutationVariables>;
export const RetryTaskDocument = new TypedDocumentString(`
    mutation RetryTask($id: ID!) {
  retryTask(id: $id) {
    ...TaskFields
  }
}
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}`) as unknown as TypedDocumentString<RetryTaskMutation, RetryTaskMutationVariables>;
export const DeleteTaskDocument = new TypedDocumentString(`
    mutation DeleteTask($id: ID!) {
  deleteTask(id: $id)
}
    `) as unknown as TypedDocumentString<DeleteTaskMutation, DeleteTaskMutationVariables>;
export const TaskDocument = new TypedDocumentString(`
    query Task($id: ID!) {
  task(id: $id) {
    ...TaskFields
    queuePosition
  }
}
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}`) as unknown as TypedDocumentString<TaskQuery, TaskQueryVariables>;
export const TaskHistoryDocument = new TypedDocumentString(`
    query TaskHistory($id: ID!) {
  task(id: $id) {
    id
    history {
      version
      occurredAt
      actor
      type
      data
    }
  }
}
    `) as unknown as TypedDocumentString<TaskHistoryQuery, TaskHistoryQueryVariables>;
export const ExplainTaskDocument = new TypedDocumentString(`
    query ExplainTask($id: ID!) {
  task(id: $id) {
    id
    status
    explanation {
      state
      summary
      queuePosition
      checkedAt
      workers {
        workerId
        workerName
        fits
        unmet {
          resource
          requested
          available
          never
          message
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ExplainTaskQuery, ExplainTaskQueryVariables>;
export const TasksDocument = new TypedDocumentString(`
    query Tasks($filter: TaskFilterInput, $sort: TaskSort, $descending: Boolean, $first: Int, $after: String) {
  tasks(
    filter: $filter
    sort: $sort
    descending: $descending
    first: $first
    after: $after
  ) {
    edges {
      node {
        ...TaskFields
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    degraded
  }
}
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}`) as unknown as TypedDocumentString<TasksQuery, TasksQueryVariables>;
export const TaskLogsDocument = new TypedDocumentString(`
    query TaskLogs($taskId: ID!, $attempt: Int, $afterSeq: Int, $tail: Boolean, $stream: LogStream, $search: String, $limit: Int) {
  taskLogs(
    taskId: $taskId
    attempt: $attempt
    afterSeq: $afterSeq
    tail: $tail
    stream: $stream
    search: $search
    limit: $limit
  ) {
    attempt
    lines {
      seq
      n
      stream
      t
      text
      partial
    }
    lastSeq
    complete
  }
}
    `) as unknown as TypedDocumentString<TaskLogsQuery, TaskLogsQueryVariables>;
export const FollowTaskDocument = new TypedDocumentString(`
    subscription FollowTask($id: ID!) {
  task(id: $id) {
    ...TaskFields
  }
}
    fragment TaskFields on Task {
  id
  version
  name
  description
  ownerId
  ownerName
  image
  command
  resources {
    cpu
    memoryMb
    storageMb
    gpu {
      count
      model
      memoryMb
    }
  }
  tags
  queue
  priority
  timeoutSeconds
  retries
  retryMemoryFactor
  retryMemoryMaxMb
  memoryMb
  leaseSeconds
  retryOf
  status
  attempt
  message
  progressPercent
  workerId
  workerName
  exitCode
  failure {
    class
    message
  }
  createdAt
  queuedAt
  startedAt
  finishedAt
  usage {
    cpuSeconds
    peakMemoryMb
    durationMs
  }
  artifacts {
    id
    attempt
    path
    sizeBytes
    sha256
    mediaType
    storedAt
    url
  }
}`) as unknown as TypedDocumentString<FollowTaskSubscription, FollowTaskSubscriptionVariables>;
export const FollowLogsDocument = new TypedDocumentString(`
    subscription FollowLogs($taskId: ID!, $attempt: Int, $afterSeq: Int) {
  taskLogs(taskId: $taskId, attempt: $attempt, afterSeq: $afterSeq) {
    attempt
    complete
    lines {
      seq
      n
      stream
      t
      text
      partial
    }
  }
}
    `) as unknown as TypedDocumentString<FollowLogsSubscription, FollowLogsSubscriptionVariables>;