// Run in a package's folder after its compilation: `node ../../scripts/bundle.mjs [file]` writes `dist/main.js` and all that it imports
// to `dist/bundle/file` (main.js). Finding, reading and compiling a thousand small files is most of the work of a program's start.
import fs from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { spreadShapes } from './spread-shapes.mjs';

const [file = 'main.js'] = process.argv.slice(2);
/**
 * The first two hold native code, and all entries of such a package have to stay outside: one of two copies would not know what the other has open.
 * The last is asked for only by parts of packages that no program here uses.
 */
const external = [/^chdb($|\/)/, /^@node-rs\/argon2($|\/)/, 'typescript'];

/**
 * Lets stack traces name the lines of our TypeScript sources, and keeps what is not ours out of the maps: Node reads them when it
 * loads a program, and whole ones are ten times as large.
 * @type {import('rolldown').Plugin}
 */
const sourceMaps = {
  name: 'source-maps',
  load(id) {
    if (!/\.[cm]?js$/.test(id)) return null;
    const code = fs.readFileSync(id, 'utf8');
    if (id.includes('/node_modules/')) return { code, map: { mappings: '' } };
    const map = JSON.parse(fs.readFileSync(`${id}.map`, 'utf8'));
    const sources = map.sources.map((/** @type {string} */ source) => path.resolve(path.dirname(id), source));
    return { code: code.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'), map: { ...map, sources } };
  },
};

const bundle = await rolldown({
  input: path.resolve('dist/main.js'),
  platform: 'node',
  external,
  plugins: [sourceMaps, spreadShapes],
  // Optional parts of packages that are not installed; the compiler has looked after what our own files import.
  checks: { unresolvedImport: false },
  logLevel: 'warn',
});
await bundle.write({
  dir: 'dist/bundle',
  cleanDir: true,
  format: 'esm',
  entryFileNames: file,
  chunkFileNames: '[name].js',
  keepNames: true,
  // Not even of what has no effect: it takes out what `spreadShapes` puts in.
  minify: false,
  sourcemap: true,
  sourcemapExcludeSources: true,
});
await bundle.close();
