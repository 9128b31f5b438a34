import fs from 'node:fs';
import path from 'node:path';

/** Where the Debian package keeps it; the multi-threaded build, because Node is. */
const FOLDERS = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib'];
const LIBRARY = 'faketime/libfaketimeMT.so.1';

/**
 * A time of day of its own for each part, by a library that is loaded before the program: it answers the system's calls with the time
 * shifted by what a file says, so the clock can be set while the part runs, and stays set over its restarts. Monotonic clocks, and what the part
 * itself starts, go right. Works for Node; nats-server and dockerd are linked statically and keep the machine's time.
 */
export class ChaosClocks {
  private readonly library: string;

  constructor(private readonly folder: string) {
    const found = FOLDERS.map((place) => path.join(place, LIBRARY)).find((file) => fs.existsSync(file));
    if (found === undefined) throw new Error(`${LIBRARY} is not installed: install the package faketime.`);
    this.library = found;
    fs.mkdirSync(folder);
  }

  /** For the start of the part. */
  environmentOf(part: string): Record<string, string> {
    this.set(part, 0);
    return {
      LD_PRELOAD: this.library,
      FAKETIME_TIMESTAMP_FILE: this.fileOf(part),
      // Read again so often, in seconds.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  /** Seconds ahead of the machine's time; seen by the part within a second. */
  set(part: string, seconds: number): void {
    const text = `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`;
    fs.writeFileSync(`${this.fileOf(part)}.new`, text);
    fs.renameSync(`${this.fileOf(part)}.new`, this.fileOf(part));
  }

  private fileOf(part: string): string {
    return path.join(this.folder, part);
  }
}
