import { graphql } from '../gql/gql.js';

export const submitTaskDocument = graphql(`
  mutation SubmitTask($input: SubmitTaskInput!) {
    submitTask(input: $input) {
      task {
        ...TaskFields
      }
      queuePosition
      duplicate
    }
  }
`);

export const cancelTaskDocument = graphql(`
  mutation CancelTask($id: ID!, $reason: String, $graceSeconds: Float) {
    cancelTask(id: $id, reason: $reason, graceSeconds: $graceSeconds) {
      ...TaskFields
    }
  }
`);

export const retryTaskDocument = graphql(`
  mutation RetryTask($id: ID!) {
    retryTask(id: $id) {
      ...TaskFields
    }
  }
`);

export const deleteTaskDocument = graphql(`
  mutation DeleteTask($id: ID!) {
    deleteTask(id: $id)
  }
`);

export const taskDocument = graphql(`
  query Task($id: ID!) {
    task(id: $id) {
      ...TaskFields
      queuePosition
    }
  }
`);

export const taskHistoryDocument = graphql(`
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
`);

export const explainTaskDocument = graphql(`
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
`);

export const tasksDocument = graphql(`
  query Tasks($filter: TaskFilterInput, $sort: TaskSort, $descending: Boolean, $first: Int, $after: String) {
    tasks(filter: $filter, sort: $sort, descending: $descending, first: $first, after: $after) {
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
`);

export const taskLogsDocument = graphql(`
  query TaskLogs(
    $taskId: ID!
    $attempt: Int
    $afterSeq: Int
    $tail: Boolean
    $stream: LogStream
    $search: String
    $limit: Int
  ) {
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
`);

export const followTaskDocument = graphql(`
  subscription FollowTask($id: ID!) {
    task(id: $id) {
      ...TaskFields
    }
  }
`);

export const followLogsDocument = graphql(`
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
`);
