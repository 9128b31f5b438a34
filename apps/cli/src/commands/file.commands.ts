import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { Artifact, GantryClient } from '@gantry/client/gantry-client';
import { GantryError } from '@gantry/kernel/gantry-error';
import type { CliEnvironment } from '../environment.js';
import { formatBytes } from '../output/format.js';
import { printJson, printTable } from '../output/table.js';
import { connect } from '../session/connect.js';

export function addFileCommands(program: Command, environment: CliEnvironment): void {
  program
    .command('files')
    .description('list the files that a task left in /output')
    .argument('<id>')
    .option('--json')
    .action(async (id: string, options: { json?: boolean }) => {
      const { artifacts } = await connect(environment).task(id);
      if (options.json === true) return printJson(artifacts);
      if (artifacts.length === 0) return console.log('No files. A task leaves files by writing them to /output.');
      printTable(
        ['PATH', 'SIZE', 'SHA256'],
        artifacts.map(({ path: name, sizeBytes, sha256 }) => [name, formatBytes(sizeBytes), sha256]),
      );
    });

  program
    .command('download')
    .description('fetch the files of a task and check their sums')
    .argument('<id>')
    .argument('[path...]', 'only these')
    .option('-o, --output <folder>', 'where to', '.')
    .action(async (id: string, paths: string[], options: { output: string }) => {
      const client = connect(environment);
      const { artifacts } = await client.task(id);
      const missing = paths.filter((name) => !artifacts.some((artifact) => artifact.path === name));
      if (missing.length > 0) {
        throw new GantryError(
          'CLI.NO_SUCH_FILE',
          'not_found',
          `The task has no file ${missing.join(', ')}. List them: gantry files ${id}`,
        );
      }
      const wanted = paths.length === 0 ? artifacts : artifacts.filter((artifact) => paths.includes(artifact.path));
      if (wanted.length === 0) console.log('No files.');
      for (const artifact of wanted) await downloadOne(client, artifact, options.output);
    });
}

/** Writes beside the target and renames once size and sum are right, so that a broken download is never taken for whole. */
async function downloadOne(client: GantryClient, artifact: Artifact, folder: string): Promise<void> {
  const root = path.resolve(folder);
  const target = path.resolve(root, artifact.path);
  if (!target.startsWith(root + path.sep))
    throw new GantryError('CLI.UNSAFE_PATH', 'invalid', `${artifact.path} leads out of ${folder}.`);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const partial = `${target}.partial`;
  const bar = new SingleBar({
    format: `${artifact.path} {bar} {percentage}% {size}`,
    clearOnComplete: false,
    hideCursor: true,
    stream: process.stderr,
  });
  const shown = process.stderr.isTTY;
  if (shown) bar.start(Math.max(artifact.sizeBytes, 1), 0, { size: formatBytes(artifact.sizeBytes) });
  const hash = createHash('sha256');
  const file = fs.createWriteStream(partial);
  try {
    let received = 0;
    for await (const chunk of await client.download(artifact)) {
      hash.update(chunk);
      received += chunk.byteLength;
      if (shown) bar.update(received);
      if (!file.write(chunk)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
  } finally {
    if (shown) bar.stop();
  }
  const sum = hash.digest('hex');
  if (sum !== artifact.sha256) {
    throw new GantryError(
      'CLI.BAD_CHECKSUM',
      'internal',
      `${artifact.path} arrived damaged (sum ${sum}, expected ${artifact.sha256}). Download it again.`,
    );
  }
  fs.renameSync(partial, target);
  console.log(`${path.relative('.', target)}  ${formatBytes(artifact.sizeBytes)}  sha256 ${sum}`);
}
