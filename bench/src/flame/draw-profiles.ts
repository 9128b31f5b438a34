import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { flameSvg } from './flame-svg.js';
import { flameTree } from './flame-tree.js';

const EXTENSION = '.cpuprofile';

/** Draws every CPU profile below the folder as a flame graph beside it; answers the pictures' files. */
export function drawProfiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(EXTENSION))
    .sort()
    .map((file) => {
      const path = join(folder, file);
      const picture = `${path.slice(0, -EXTENSION.length)}.svg`;
      // The programs' names are those of the folders in which they left their profiles.
      writeFileSync(picture, flameSvg(basename(dirname(path)), flameTree(JSON.parse(readFileSync(path, 'utf8')))));
      return picture;
    });
}
