import { graphql } from '../gql/gql.js';

export const deadLetterFields = graphql(`
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
`);

export const deadLettersDocument = graphql(`
  query DeadLetters($limit: Int, $after: ID, $stream: String, $consumer: String, $state: String) {
    deadLetters(limit: $limit, after: $after, stream: $stream, consumer: $consumer, state: $state) {
      deadLetters {
        ...DeadLetterFields
      }
      next
    }
  }
`);

export const deadLetterDocument = graphql(`
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
`);

export const replayDeadLetterDocument = graphql(`
  mutation ReplayDeadLetter($id: ID!) {
    replayDeadLetter(id: $id) {
      ...DeadLetterFields
    }
  }
`);

export const discardDeadLetterDocument = graphql(`
  mutation DiscardDeadLetter($id: ID!) {
    discardDeadLetter(id: $id) {
      ...DeadLetterFields
    }
  }
`);
