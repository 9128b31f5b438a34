import type { ApolloClient } from '@apollo/client';
import type { Client } from 'graphql-ws';
import { print } from 'graphql/language/printer';
import { TaskLogsDocument, TaskLogTailDocument, type TaskLogTailSubscription } from '@/gql/graphql';
import type { LogPorts } from '../model/log-feed';

/** Where the lines of one attempt come from. Neither pages nor live lines go through Apollo's cache. */
export function browserLogPorts(client: ApolloClient, channel: Client, taskId: string, attempt: number): LogPorts {
  return {
    readPage: async (request) => {
      const { data } = await client.query({
        query: TaskLogsDocument,
        variables: { taskId, attempt, ...request },
        fetchPolicy: 'no-cache',
      });
      if (data === undefined) throw new Error('The API sent no log. Try again.');
      const { lines, lastSeq, complete } = data.taskLogs;
      return { attempt: data.taskLogs.attempt ?? null, lines, lastSeq, complete };
    },
    follow: (afterSeq, onBatch, onEnd) =>
      channel.subscribe<TaskLogTailSubscription>(
        {
          query: print(TaskLogTailDocument),
          // The channel sends this object anew at every re-connection: as a getter it names the line to go on from.
          variables: {
            taskId,
            attempt,
            get afterSeq() {
              return afterSeq();
            },
          },
        },
        {
          next: ({ data, errors }) => {
            if (errors?.[0] !== undefined) onEnd({ errors });
            // A batch of another attempt belongs to another viewer.
            else if (data?.taskLogs.attempt === attempt) onBatch(data.taskLogs);
          },
          error: (error) => onEnd(Array.isArray(error) ? { errors: error } : error),
          complete: () => onEnd(),
        },
      ),
    onFrame: (work) => {
      // A tab in the background gets no frames, but its log must not pile up unseen.
      if (document.visibilityState === 'hidden') setTimeout(work, 250);
      else requestAnimationFrame(work);
    },
  };
}
