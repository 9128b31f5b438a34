/* eslint-disable */
import * as types from './graphql.js';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation LogIn($email: String!, $password: String!) {\n    logIn(email: $email, password: $password, cookie: false) {\n      accessToken\n      accessTokenExpiresAt\n      refreshToken\n      refreshTokenExpiresAt\n      user {\n        id\n        email\n        name\n        role\n        mustChangePassword\n      }\n    }\n  }\n": typeof types.LogInDocument,
    "\n  mutation Register($email: String!, $password: String!, $name: String!) {\n    register(email: $email, password: $password, name: $name) {\n      id\n      email\n      name\n      role\n    }\n  }\n": typeof types.RegisterDocument,
    "\n  mutation ChangePassword($currentPassword: String!, $newPassword: String!) {\n    changePassword(currentPassword: $currentPassword, newPassword: $newPassword) {\n      id\n      mustChangePassword\n    }\n  }\n": typeof types.ChangePasswordDocument,
    "\n  mutation CreateApiKey($name: String!, $scopes: [String!], $expiresAt: Time) {\n    createApiKey(name: $name, scopes: $scopes, expiresAt: $expiresAt) {\n      key\n      apiKey {\n        id\n        name\n        prefix\n      }\n    }\n  }\n": typeof types.CreateApiKeyDocument,
    "\n  query Me {\n    me {\n      id\n      email\n      name\n      role\n      mustChangePassword\n    }\n  }\n": typeof types.MeDocument,
    "\n  fragment DeadLetterFields on DeadLetter {\n    id\n    stream\n    consumer\n    subject\n    sequence\n    code\n    reason\n    failures\n    sizeBytes\n    deadLetteredAt\n    state\n    resolvedAt\n    resolvedBy\n  }\n": typeof types.DeadLetterFieldsFragmentDoc,
    "\n  query DeadLetters($limit: Int, $after: ID, $stream: String, $consumer: String, $state: String) {\n    deadLetters(limit: $limit, after: $after, stream: $stream, consumer: $consumer, state: $state) {\n      deadLetters {\n        ...DeadLetterFields\n      }\n      next\n    }\n  }\n": typeof types.DeadLettersDocument,
    "\n  query DeadLetter($id: ID!) {\n    deadLetter(id: $id) {\n      id\n      stream\n      consumer\n      subject\n      sequence\n      code\n      reason\n      failures\n      sizeBytes\n      deadLetteredAt\n      state\n      resolvedAt\n      resolvedBy\n      headers {\n        key\n        value\n      }\n      payload\n      payloadComplete\n    }\n  }\n": typeof types.DeadLetterDocument,
    "\n  mutation ReplayDeadLetter($id: ID!) {\n    replayDeadLetter(id: $id) {\n      ...DeadLetterFields\n    }\n  }\n": typeof types.ReplayDeadLetterDocument,
    "\n  mutation DiscardDeadLetter($id: ID!) {\n    discardDeadLetter(id: $id) {\n      ...DeadLetterFields\n    }\n  }\n": typeof types.DiscardDeadLetterDocument,
    "\n  query Workers {\n    workers {\n      id\n      name\n      status\n      hostname\n      address\n      os\n      runtime\n      runtimeVersion\n      capacity {\n        cpu\n        memoryMb\n        storageMb\n      }\n      allocated {\n        cpu\n        memoryMb\n        storageMb\n      }\n      gpus {\n        id\n        index\n        model\n        memoryMb\n        allocated\n      }\n      labels {\n        key\n        value\n      }\n      usage {\n        cpuPercent\n        memoryUsedMb\n        storageUsedMb\n        load1\n      }\n      running {\n        taskId\n        attempt\n        phase\n      }\n      completed\n      failed\n      startedAt\n      lastHeartbeatAt\n    }\n  }\n": typeof types.WorkersDocument,
    "\n  query Summary {\n    summary {\n      total\n      last24h\n      byStatus {\n        status\n        count\n      }\n      averageDurationSeconds\n      activeWorkers\n      totalWorkers\n      degraded\n    }\n  }\n": typeof types.SummaryDocument,
    "\n  query Health {\n    health {\n      status\n      httpRequests\n      httpErrors\n      latencyP50Ms\n      latencyP99Ms\n      services {\n        service\n        status\n        reasons\n        uptimeSeconds\n        rssBytes\n        cpuSeconds\n        eventLoopLagMs\n      }\n    }\n  }\n": typeof types.HealthDocument,
    "\n  fragment TaskFields on Task {\n    id\n    version\n    name\n    description\n    ownerId\n    ownerName\n    image\n    command\n    resources {\n      cpu\n      memoryMb\n      storageMb\n      gpu {\n        count\n        model\n        memoryMb\n      }\n    }\n    tags\n    queue\n    priority\n    timeoutSeconds\n    retries\n    retryMemoryFactor\n    retryMemoryMaxMb\n    memoryMb\n    leaseSeconds\n    retryOf\n    status\n    attempt\n    message\n    progressPercent\n    workerId\n    workerName\n    exitCode\n    failure {\n      class\n      message\n    }\n    createdAt\n    queuedAt\n    startedAt\n    finishedAt\n    usage {\n      cpuSeconds\n      peakMemoryMb\n      durationMs\n    }\n    artifacts {\n      id\n      attempt\n      path\n      sizeBytes\n      sha256\n      mediaType\n      storedAt\n      url\n    }\n  }\n": typeof types.TaskFieldsFragmentDoc,
    "\n  mutation SubmitTask($input: SubmitTaskInput!) {\n    submitTask(input: $input) {\n      task {\n        ...TaskFields\n      }\n      queuePosition\n      duplicate\n    }\n  }\n": typeof types.SubmitTaskDocument,
    "\n  mutation CancelTask($id: ID!, $reason: String, $graceSeconds: Float) {\n    cancelTask(id: $id, reason: $reason, graceSeconds: $graceSeconds) {\n      ...TaskFields\n    }\n  }\n": typeof types.CancelTaskDocument,
    "\n  mutation RetryTask($id: ID!) {\n    retryTask(id: $id) {\n      ...TaskFields\n    }\n  }\n": typeof types.RetryTaskDocument,
    "\n  mutation DeleteTask($id: ID!) {\n    deleteTask(id: $id)\n  }\n": typeof types.DeleteTaskDocument,
    "\n  query Task($id: ID!) {\n    task(id: $id) {\n      ...TaskFields\n      queuePosition\n    }\n  }\n": typeof types.TaskDocument,
    "\n  query TaskHistory($id: ID!) {\n    task(id: $id) {\n      id\n      history {\n        version\n        occurredAt\n        actor\n        type\n        data\n      }\n    }\n  }\n": typeof types.TaskHistoryDocument,
    "\n  query ExplainTask($id: ID!) {\n    task(id: $id) {\n      id\n      status\n      explanation {\n        state\n        summary\n        queuePosition\n        checkedAt\n        workers {\n          workerId\n          workerName\n          fits\n          unmet {\n            resource\n            requested\n            available\n            never\n            message\n          }\n        }\n      }\n    }\n  }\n": typeof types.ExplainTaskDocument,
    "\n  query Tasks($filter: TaskFilterInput, $sort: TaskSort, $descending: Boolean, $first: Int, $after: String) {\n    tasks(filter: $filter, sort: $sort, descending: $descending, first: $first, after: $after) {\n      edges {\n        node {\n          ...TaskFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      degraded\n    }\n  }\n": typeof types.TasksDocument,
    "\n  query TaskLogs(\n    $taskId: ID!\n    $attempt: Int\n    $afterSeq: Int\n    $tail: Boolean\n    $stream: LogStream\n    $search: String\n    $limit: Int\n  ) {\n    taskLogs(\n      taskId: $taskId\n      attempt: $attempt\n      afterSeq: $afterSeq\n      tail: $tail\n      stream: $stream\n      search: $search\n      limit: $limit\n    ) {\n      attempt\n      lines {\n        seq\n        n\n        stream\n        t\n        text\n        partial\n      }\n      lastSeq\n      complete\n    }\n  }\n": typeof types.TaskLogsDocument,
    "\n  subscription FollowTask($id: ID!) {\n    task(id: $id) {\n      ...TaskFields\n    }\n  }\n": typeof types.FollowTaskDocument,
    "\n  subscription FollowLogs($taskId: ID!, $attempt: Int, $afterSeq: Int) {\n    taskLogs(taskId: $taskId, attempt: $attempt, afterSeq: $afterSeq) {\n      attempt\n      complete\n      lines {\n        seq\n        n\n        stream\n        t\n        text\n        partial\n      }\n    }\n  }\n": typeof types.FollowLogsDocument,
};
const documents: Documents = {
    "\n  mutation LogIn($email: String!, $password: String!) {\n    logIn(email: $email, password: $password, cookie: false) {\n      accessToken\n      accessTokenExpiresAt\n      refreshToken\n      refreshTokenExpiresAt\n      user {\n        id\n        email\n        name\n        role\n        mustChangePassword\n      }\n    }\n  }\n": types.LogInDocument,
    "\n  mutation Register($email: String!, $password: String!, $name: String!) {\n    register(email: $email, password: $password, name: $name) {\n      id\n      email\n      name\n      role\n    }\n  }\n": types.RegisterDocument,
    "\n  mutation ChangePassword($currentPassword: String!, $newPassword: String!) {\n    changePassword(currentPassword: $currentPassword, newPassword: $newPassword) {\n      id\n      mustChangePassword\n    }\n  }\n": types.ChangePasswordDocument,
    "\n  mutation CreateApiKey($name: String!, $scopes: [String!], $expiresAt: Time) {\n    createApiKey(name: $name, scopes: $scopes, expiresAt: $expiresAt) {\n      key\n      apiKey {\n        id\n        name\n        prefix\n      }\n    }\n  }\n": types.CreateApiKeyDocument,
    "\n  query Me {\n    me {\n      id\n      email\n      name\n      role\n      mustChangePassword\n    }\n  }\n": types.MeDocument,
    "\n  fragment DeadLetterFields on DeadLetter {\n    id\n    stream\n    consumer\n    subject\n    sequence\n    code\n    reason\n    failures\n    sizeBytes\n    deadLetteredAt\n    state\n    resolvedAt\n    resolvedBy\n  }\n": types.DeadLetterFieldsFragmentDoc,
    "\n  query DeadLetters($limit: Int, $after: ID, $stream: String, $consumer: String, $state: String) {\n    deadLetters(limit: $limit, after: $after, stream: $stream, consumer: $consumer, state: $state) {\n      deadLetters {\n        ...DeadLetterFields\n      }\n      next\n    }\n  }\n": types.DeadLettersDocument,
    "\n  query DeadLetter($id: ID!) {\n    deadLetter(id: $id) {\n      id\n      stream\n      consumer\n      subject\n      sequence\n      code\n      reason\n      failures\n      sizeBytes\n      deadLetteredAt\n      state\n      resolvedAt\n      resolvedBy\n      headers {\n        key\n        value\n      }\n      payload\n      payloadComplete\n    }\n  }\n": types.DeadLetterDocument,
    "\n  mutation ReplayDeadLetter($id: ID!) {\n    replayDeadLetter(id: $id) {\n      ...DeadLetterFields\n    }\n  }\n": types.ReplayDeadLetterDocument,
    "\n  mutation DiscardDeadLetter($id: ID!) {\n    discardDeadLetter(id: $id) {\n      ...DeadLetterFields\n    }\n  }\n": types.DiscardDeadLetterDocument,
    "\n  query Workers {\n    workers {\n      id\n      name\n      status\n      hostname\n      address\n      os\n      runtime\n      runtimeVersion\n      capacity {\n        cpu\n        memoryMb\n        storageMb\n      }\n      allocated {\n        cpu\n        memoryMb\n        storageMb\n      }\n      gpus {\n        id\n        index\n        model\n        memoryMb\n        allocated\n      }\n      labels {\n        key\n        value\n      }\n      usage {\n        cpuPercent\n        memoryUsedMb\n        storageUsedMb\n        load1\n      }\n      running {\n        taskId\n        attempt\n        phase\n      }\n      completed\n      failed\n      startedAt\n      lastHeartbeatAt\n    }\n  }\n": types.WorkersDocument,
    "\n  query Summary {\n    summary {\n      total\n      last24h\n      byStatus {\n        status\n        count\n      }\n      averageDurationSeconds\n      activeWorkers\n      totalWorkers\n      degraded\n    }\n  }\n": types.SummaryDocument,
    "\n  query Health {\n    health {\n      status\n      httpRequests\n      httpErrors\n      latencyP50Ms\n      latencyP99Ms\n      services {\n        service\n        status\n        reasons\n        uptimeSeconds\n        rssBytes\n        cpuSeconds\n        eventLoopLagMs\n      }\n    }\n  }\n": types.HealthDocument,
    "\n  fragment TaskFields on Task {\n    id\n    version\n    name\n    description\n    ownerId\n    ownerName\n    image\n    command\n    resources {\n      cpu\n      memoryMb\n      storageMb\n      gpu {\n        count\n        model\n        memoryMb\n      }\n    }\n    tags\n    queue\n    priority\n    timeoutSeconds\n    retries\n    retryMemoryFactor\n    retryMemoryMaxMb\n    memoryMb\n    leaseSeconds\n    retryOf\n    status\n    attempt\n    message\n    progressPercent\n    workerId\n    workerName\n    exitCode\n    failure {\n      class\n      message\n    }\n    createdAt\n    queuedAt\n    startedAt\n    finishedAt\n    usage {\n      cpuSeconds\n      peakMemoryMb\n      durationMs\n    }\n    artifacts {\n      id\n      attempt\n      path\n      sizeBytes\n      sha256\n      mediaType\n      storedAt\n      url\n    }\n  }\n": types.TaskFieldsFragmentDoc,
    "\n  mutation SubmitTask($input: SubmitTaskInput!) {\n    submitTask(input: $input) {\n      task {\n        ...TaskFields\n      }\n      queuePosition\n      duplicate\n    }\n  }\n": types.SubmitTaskDocument,
    "\n  mutation CancelTask($id: ID!, $reason: String, $graceSeconds: Float) {\n    cancelTask(id: $id, reason: $reason, graceSeconds: $graceSeconds) {\n      ...TaskFields\n    }\n  }\n": types.CancelTaskDocument,
    "\n  mutation RetryTask($id: ID!) {\n    retryTask(id: $id) {\n      ...TaskFields\n    }\n  }\n": types.RetryTaskDocument,
    "\n  mutation DeleteTask($id: ID!) {\n    deleteTask(id: $id)\n  }\n": types.DeleteTaskDocument,
    "\n  query Task($id: ID!) {\n    task(id: $id) {\n      ...TaskFields\n      queuePosition\n    }\n  }\n": types.TaskDocument,
    "\n  query TaskHistory($id: ID!) {\n    task(id: $id) {\n      id\n      history {\n        version\n        occurredAt\n        actor\n        type\n        data\n      }\n    }\n  }\n": types.TaskHistoryDocument,
    "\n  query ExplainTask($id: ID!) {\n    task(id: $id) {\n      id\n      status\n      explanation {\n        state\n        summary\n        queuePosition\n        checkedAt\n        workers {\n          workerId\n          workerName\n          fits\n          unmet {\n            resource\n            requested\n            available\n            never\n            message\n          }\n        }\n      }\n    }\n  }\n": types.ExplainTaskDocument,
    "\n  query Tasks($filter: TaskFilterInput, $sort: TaskSort, $descending: Boolean, $first: Int, $after: String) {\n    tasks(filter: $filter, sort: $sort, descending: $descending, first: $first, after: $after) {\n      edges {\n        node {\n          ...TaskFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      degraded\n    }\n  }\n": types.TasksDocument,
    "\n  query TaskLogs(\n    $taskId: ID!\n    $attempt: Int\n    $afterSeq: Int\n    $tail: Boolean\n    $stream: LogStream\n    $search: String\n    $limit: Int\n  ) {\n    taskLogs(\n      taskId: $taskId\n      attempt: $attempt\n      afterSeq: $afterSeq\n      tail: $tail\n      stream: $stream\n      search: $search\n      limit: $limit\n    ) {\n      attempt\n      lines {\n        seq\n        n\n        stream\n        t\n        text\n        partial\n      }\n      lastSeq\n      complete\n    }\n  }\n": types.TaskLogsDocument,
    "\n  subscription FollowTask($id: ID!) {\n    task(id: $id) {\n      ...TaskFields\n    }\n  }\n": types.FollowTaskDocument,
    "\n  subscription FollowLogs($taskId: ID!, $attempt: Int, $afterSeq: Int) {\n    taskLogs(taskId: $taskId, attempt: $attempt, afterSeq: $afterSeq) {\n      attempt\n      complete\n      lines {\n        seq\n        n\n        stream\n        t\n        text\n        partial\n      }\n    }\n  }\n": types.FollowLogsDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation LogIn($email: String!, $password: String!) {\n    logIn(email: $email, password: $password, cookie: false) {\n      accessToken\n      accessTokenExpiresAt\n      refreshToken\n      refreshTokenExpiresAt\n      user {\n        id\n        email\n        name\n        role\n        mustChangePassword\n      }\n    }\n  }\n"): typeof import('./graphql.js').LogInDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Register($email: String!, $password: String!, $name: String!) {\n    register(email: $email, password: $password, name: $name) {\n      id\n      email\n      name\n      role\n    }\n  }\n"): typeof import('./graphql.js').RegisterDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ChangePassword($currentPassword: String!, $newPassword: String!) {\n    changePassword(currentPassword: $currentPassword, newPassword: $newPassword) {\n      id\n      mustChangePassword\n    }\n  }\n"): typeof import('./graphql.js').ChangePasswordDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateApiKey($name: String!, $scopes: [String!], $expiresAt: Time) {\n    createApiKey(name: $name, scopes: $scopes, expiresAt: $expiresAt) {\n      key\n      apiKey {\n        id\n        name\n        prefix\n      }\n    }\n  }\n"): typeof import('./graphql.js').CreateApiKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Me {\n    me {\n      id\n      email\n      name\n      role\n      mustChangePassword\n    }\n  }\n"): typeof import('./graphql.js').MeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment DeadLetterFields on DeadLetter {\n    id\n    stream\n    consumer\n    subject\n    sequence\n    code\n    reason\n    failures\n    sizeBytes\n    deadLetteredAt\n    state\n    resolvedAt\n    resolvedBy\n  }\n"): typeof import('./graphql.js').DeadLetterFieldsFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DeadLetters($limit: Int, $after: ID, $stream: String, $consumer: String, $state: String) {\n    deadLetters(limit: $limit, after: $after, stream: $stream, consumer: $consumer, state: $state) {\n      deadLetters {\n        ...DeadLetterFields\n      }\n      next\n    }\n  }\n"): typeof import('./graphql.js').DeadLettersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query DeadLetter($id: ID!) {\n    deadLetter(id: $id) {\n      id\n      stream\n      consumer\n      subject\n      sequence\n      code\n      reason\n      failures\n      sizeBytes\n      deadLetteredAt\n      state\n      resolvedAt\n      resolvedBy\n      headers {\n        key\n        value\n      }\n      payload\n      payloadComplete\n    }\n  }\n"): typeof import('./graphql.js').DeadLetterDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation ReplayDeadLetter($id: ID!) {\n    replayDeadLetter(id: $id) {\n      ...DeadLetterFields\n    }\n  }\n"): typeof import('./graphql.js').ReplayDeadLetterDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DiscardDeadLetter($id: ID!) {\n    discardDeadLetter(id: $id) {\n      ...DeadLetterFields\n    }\n  }\n"): typeof import('./graphql.js').DiscardDeadLetterDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Workers {\n    workers {\n      id\n      name\n      status\n      hostname\n      address\n      os\n      runtime\n      runtimeVersion\n      capacity {\n        cpu\n        memoryMb\n        storageMb\n      }\n      allocated {\n        cpu\n        memoryMb\n        storageMb\n      }\n      gpus {\n        id\n        index\n        model\n        memoryMb\n        allocated\n      }\n      labels {\n        key\n        value\n      }\n      usage {\n        cpuPercent\n        memoryUsedMb\n        storageUsedMb\n        load1\n      }\n      running {\n        taskId\n        attempt\n        phase\n      }\n      completed\n      failed\n      startedAt\n      lastHeartbeatAt\n    }\n  }\n"): typeof import('./graphql.js').WorkersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Summary {\n    summary {\n      total\n      last24h\n      byStatus {\n        status\n        count\n      }\n      averageDurationSeconds\n      activeWorkers\n      totalWorkers\n      degraded\n    }\n  }\n"): typeof import('./graphql.js').SummaryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Health {\n    health {\n      status\n      httpRequests\n      httpErrors\n      latencyP50Ms\n      latencyP99Ms\n      services {\n        service\n        status\n        reasons\n        uptimeSeconds\n        rssBytes\n        cpuSeconds\n        eventLoopLagMs\n      }\n    }\n  }\n"): typeof import('./graphql.js').HealthDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment TaskFields on Task {\n    id\n    version\n    name\n    description\n    ownerId\n    ownerName\n    image\n    command\n    resources {\n      cpu\n      memoryMb\n      storageMb\n      gpu {\n        count\n        model\n        memoryMb\n      }\n    }\n    tags\n    queue\n    priority\n    timeoutSeconds\n    retries\n    retryMemoryFactor\n    retryMemoryMaxMb\n    memoryMb\n    leaseSeconds\n    retryOf\n    status\n    attempt\n    message\n    progressPercent\n    workerId\n    workerName\n    exitCode\n    failure {\n      class\n      message\n    }\n    createdAt\n    queuedAt\n    startedAt\n    finishedAt\n    usage {\n      cpuSeconds\n      peakMemoryMb\n      durationMs\n    }\n    artifacts {\n      id\n      attempt\n      path\n      sizeBytes\n      sha256\n      mediaType\n      storedAt\n      url\n    }\n  }\n"): typeof import('./graphql.js').TaskFieldsFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SubmitTask($input: SubmitTaskInput!) {\n    submitTask(input: $input) {\n      task {\n        ...TaskFields\n      }\n      queuePosition\n      duplicate\n    }\n  }\n"): typeof import('./graphql.js').SubmitTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CancelTask($id: ID!, $reason: String, $graceSeconds: Float) {\n    cancelTask(id: $id, reason: $reason, graceSeconds: $graceSeconds) {\n      ...TaskFields\n    }\n  }\n"): typeof import('./graphql.js').CancelTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RetryTask($id: ID!) {\n    retryTask(id: $id) {\n      ...TaskFields\n    }\n  }\n"): typeof import('./graphql.js').RetryTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation DeleteTask($id: ID!) {\n    deleteTask(id: $id)\n  }\n"): typeof import('./graphql.js').DeleteTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Task($id: ID!) {\n    task(id: $id) {\n      ...TaskFields\n      queuePosition\n    }\n  }\n"): typeof import('./graphql.js').TaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TaskHistory($id: ID!) {\n    task(id: $id) {\n      id\n      history {\n        version\n        occurredAt\n        actor\n        type\n        data\n      }\n    }\n  }\n"): typeof import('./graphql.js').TaskHistoryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ExplainTask($id: ID!) {\n    task(id: $id) {\n      id\n      status\n      explanation {\n        state\n        summary\n        queuePosition\n        checkedAt\n        workers {\n          workerId\n          workerName\n          fits\n          unmet {\n            resource\n            requested\n            available\n            never\n            message\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.js').ExplainTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Tasks($filter: TaskFilterInput, $sort: TaskSort, $descending: Boolean, $first: Int, $after: String) {\n    tasks(filter: $filter, sort: $sort, descending: $descending, first: $first, after: $after) {\n      edges {\n        node {\n          ...TaskFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      degraded\n    }\n  }\n"): typeof import('./graphql.js').TasksDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TaskLogs(\n    $taskId: ID!\n    $attempt: Int\n    $afterSeq: Int\n    $tail: Boolean\n    $stream: LogStream\n    $search: String\n    $limit: Int\n  ) {\n    taskLogs(\n      taskId: $taskId\n      attempt: $attempt\n      afterSeq: $afterSeq\n      tail: $tail\n      stream: $stream\n      search: $search\n      limit: $limit\n    ) {\n      attempt\n      lines {\n        seq\n        n\n        stream\n        t\n        text\n        partial\n      }\n      lastSeq\n      complete\n    }\n  }\n"): typeof import('./graphql.js').TaskLogsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowTask($id: ID!) {\n    task(id: $id) {\n      ...TaskFields\n    }\n  }\n"): typeof import('./graphql.js').FollowTaskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowLogs($taskId: ID!, $attempt: Int, $afterSeq: Int) {\n    taskLogs(taskId: $taskId, attempt: $attempt, afterSeq: $afterSeq) {\n      attempt\n      complete\n      lines {\n        seq\n        n\n        stream\n        t\n        text\n        partial\n      }\n    }\n  }\n"): typeof import('./graphql.js').FollowLogsDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
