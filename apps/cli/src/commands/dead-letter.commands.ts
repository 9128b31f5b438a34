import type { Command } from 'commander';
import pc from 'picocolors';
import type { DeadLetter } from '@gantry/client/gantry-client';
import type { CliEnvironment } from '../environment.js';
import { formatBytes, formatTime } from '../output/format.js';
import { printJson, printTable } from '../output/table.js';
import { connect } from '../session/connect.js';

interface ListOptions {
  stream?: string;
  consumer?: string;
  state: string;
  limit: string;
  json?: boolean;
}

export function addDeadLetterCommands(admin: Command, environment: CliEnvironment): void {
  const letters = admin
    .command('dead-letters')
    .description('messages that no service could process: look, replay them once the cause is mended, or discard them');

  letters
    .command('list', { isDefault: true })
    .description('newest first')
    .option('--stream <name>', 'only of this stream')
    .option('--consumer <name>', 'only of this consumer')
    .option('--state <state>', 'open, replayed, discarded or all', 'open')
    .option('--limit <count>', 'at most so many', '50')
    .option('--json')
    .action(async ({ stream, consumer, state, limit, json }: ListOptions) => {
      const wanted = Number(limit);
      const found = await collect(connect(environment), wanted, {
        state,
        stream: stream ?? null,
        consumer: consumer ?? null,
      });
      if (json === true) return printJson(found);
      if (found.length === 0) return console.log(`No ${state === 'all' ? '' : `${state} `}dead letters.`);
      printTable(
        ['ID', 'TIME', 'STATE', 'CONSUMER', 'SUBJECT', 'CODE', 'REASON'],
        found.map((letter) => [
          letter.id,
          formatTime(letter.deadLetteredAt),
          letter.state,
          `${letter.stream}/${letter.consumer}`,
          letter.subject,
          letter.code,
          letter.reason.slice(0, 60),
        ]),
      );
    });

  letters
    .command('show')
    .description('headers and the beginning of the body')
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) => {
      const letter = await connect(environment).deadLetter(id);
      if (options.json === true) return printJson(letter);
      console.log(describe(letter));
      console.log(`Message    ${letter.subject} #${letter.sequence}, ${formatBytes(letter.sizeBytes)}`);
      for (const { key, value } of letter.headers) console.log(`           ${key}: ${value}`);
      console.log(letter.payload ?? '(the body is too large to be shown, or holds secrets)');
      if (letter.payload != null && !letter.payloadComplete) console.log(pc.dim('(only the beginning)'));
    });

  letters
    .command('replay')
    .description('hand it once more to the consumer that gave it up')
    .argument('<id...>')
    .action(async (ids: string[]) => {
      const client = connect(environment);
      for (const id of ids) console.log(describe(await client.replayDeadLetter(id)));
    });

  letters
    .command('discard')
    .description('close it without processing it')
    .argument('<id...>')
    .action(async (ids: string[]) => {
      const client = connect(environment);
      for (const id of ids) console.log(describe(await client.discardDeadLetter(id)));
    });
}

/** Pages until there are enough; a page may be short before the end. */
async function collect(
  client: ReturnType<typeof connect>,
  wanted: number,
  filter: { state: string; stream: string | null; consumer: string | null },
): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let after: string | null = null;
  do {
    const limit = Math.min(100, wanted - found.length);
    const page: { deadLetters: DeadLetter[]; next?: string | null } = await client.deadLetters({
      ...filter,
      limit,
      after,
    });
    found.push(...page.deadLetters);
    after = page.next ?? null;
  } while (after !== null && found.length < wanted);
  return found;
}

function describe({ id, state, stream, consumer, code, reason }: Omit<DeadLetter, 'subject'>): string {
  return `${id}  ${state}  ${stream}/${consumer}  ${code}: ${reason}`;
}
