import fs from 'node:fs';
import path from 'node:path';

/**
 * Gantry gives no container a folder of the machine, and it shall not. So the witness is put in below it: by the engine's
 * runtime (a wrapper of runc that adds one mount), and by a wrapper of the sandbox tool that binds one folder more.
 */
export interface WitnessMounts {
  /** Written by the tasks, one file each. */
  readonly folder: string;
  /** Options for dockerd. */
  readonly engineOptions: readonly string[];
  /** Shell command that puts the wrapper in the place of the sandbox tool, for the calling mount namespace only. */
  readonly hideSandboxTool: string;
}

const SANDBOX_TOOL = '/usr/bin/bwrap';

export function prepareWitness(runFolder: string): WitnessMounts {
  const folder = path.join(runFolder, 'witness');
  fs.mkdirSync(folder);
  fs.chmodSync(folder, 0o1777);
  const mount = `{"destination":"/witness","type":"bind","source":"${folder}","options":["rbind","rw"]}`;
  const runtime = script(path.join(runFolder, 'witness-runc'), [
    'previous=; bundle=; create=',
    'for argument; do',
    '  [ "$argument" = create ] && create=yes',
    '  [ "$previous" = --bundle ] && bundle=$argument',
    '  previous=$argument',
    'done',
    `[ -n "$create" ] && sed -i 's#"mounts":\\[#"mounts":[${mount},#' "$bundle/config.json"`,
    'exec runc "$@"',
  ]);
  const tool = path.join(runFolder, 'sandbox-tool');
  fs.copyFileSync(SANDBOX_TOOL, tool);
  fs.chmodSync(tool, 0o755);
  const wrapper = script(path.join(runFolder, 'witness-sandbox'), [
    '[ "$1" = --version ] && exec ' + tool + ' "$@"',
    `exec ${tool} --bind ${folder} /witness "$@"`,
  ]);
  return {
    folder,
    engineOptions: ['--add-runtime', `witness=${runtime}`, '--default-runtime', 'witness'],
    hideSandboxTool: `mount --bind ${wrapper} ${SANDBOX_TOOL}`,
  };
}

function script(file: string, lines: readonly string[]): string {
  fs.writeFileSync(file, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
  return file;
}
