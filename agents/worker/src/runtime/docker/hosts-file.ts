import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LOOPBACK = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n';

/** The /etc/hosts of containers without a network; answers its path. */
export function writeHostsFile(folder: string): string {
  const file = join(folder, 'hosts');
  // Most starts write nothing, so that none needs room on the disk for it; and running containers have the old file in their sight.
  if (existsSync(file) && readFileSync(file, 'utf8') === LOOPBACK) return file;
  const fresh = `${file}.new`;
  writeFileSync(fresh, LOOPBACK);
  // Whatever the agent's umask: the user in the container reads it.
  chmodSync(fresh, 0o644);
  renameSync(fresh, file);
  return file;
}
