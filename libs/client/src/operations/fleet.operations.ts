import { graphql } from '../gql/gql.js';

export const workersDocument = graphql(`
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
`);

export const summaryDocument = graphql(`
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
`);

export const healthDocument = graphql(`
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
`);
