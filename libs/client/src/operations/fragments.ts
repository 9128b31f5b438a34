import { graphql } from '../gql/gql.js';

export const taskFields = graphql(`
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
`);
