/**
 * The command field. Gantry runs an argument vector without a shell, so a line is only split the way a POSIX shell
 * splits words: spaces, single quotes, double quotes, backslash. Nothing is expanded.
 */
export type ArgvResult =
  { readonly ok: true; readonly argv: string[] } | { readonly ok: false; readonly message: string };

export function parseCommandLine(line: string): ArgvResult {
  const argv: string[] = [];
  let word = '';
  let inWord = false;
  let quote: '"' | "'" | null = null;
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (quote === "'") {
      if (character === "'") quote = null;
      else word += character;
    } else if (character === '\\') {
      const next = line.charAt(index + 1);
      if (next === '')
        return { ok: false, message: 'The line ends with a backslash. Remove it or write the character it protects.' };
      // POSIX 2.2.3: inside double quotes a backslash protects only these; before others it stands for itself.
      if (quote === '"' && !'"\\$`\n'.includes(next)) word += character;
      else {
        index += 1;
        if (next !== '\n') word += next;
      }
      inWord = true;
    } else if (quote === '"') {
      if (character === '"') quote = null;
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      inWord = true;
    } else if (/\s/.test(character)) {
      if (inWord) argv.push(word);
      word = '';
      inWord = false;
    } else {
      word += character;
      inWord = true;
    }
  }
  if (quote !== null) return { ok: false, message: `A ${quote === '"' ? 'double' : 'single'} quote is not closed.` };
  if (inWord) argv.push(word);
  return { ok: true, argv };
}

/** One argument a line, exactly as written; empty lines at the end are not arguments. */
export function parseArgumentLines(text: string): string[] {
  const lines = text.replace(/\r\n/g, '\n').split('\n');
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines;
}

/** A line that `parseCommandLine` reads back as the same vector. */
export function quoteCommandLine(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}
