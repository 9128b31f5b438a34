'use client';
import { Group, SegmentedControl, Textarea } from '@mantine/core';
import { useController, useWatch, type Control } from 'react-hook-form';
import { argvOf, type SubmitValues } from '../model/submit-values';
import { parseArgumentLines, parseCommandLine, quoteCommandLine } from '../model/argv';
import styles from './command-input.module.css';

/** The command as a line or as one argument a line, and always the vector that will run. */
export function CommandInput({ control, error }: { control: Control<SubmitValues>; error: string | undefined }) {
  const mode = useController({ control, name: 'commandMode' }).field;
  const line = useController({ control, name: 'commandLine' }).field;
  const lines = useController({ control, name: 'commandArguments' }).field;
  const [commandMode, commandLine, commandArguments] = useWatch({
    control,
    name: ['commandMode', 'commandLine', 'commandArguments'],
  });
  const parsed = argvOf({ commandMode, commandLine, commandArguments });

  // What was written follows into the other form, so switching loses nothing.
  const switchTo = (next: string) => {
    if (next === 'arguments') {
      const result = parseCommandLine(commandLine);
      if (result.ok) lines.onChange(result.argv.join('\n'));
      mode.onChange('arguments');
    } else {
      line.onChange(quoteCommandLine(parseArgumentLines(commandArguments)));
      mode.onChange('line');
    }
  };
  const field = commandMode === 'line' ? line : lines;
  return (
    <div>
      <Group justify="space-between" align="flex-end" mb={4} gap="xs">
        <label htmlFor="command" className={styles.label}>
          Command
        </label>
        <SegmentedControl
          size="xs"
          aria-label="How the command is written"
          value={commandMode}
          onChange={switchTo}
          data={[
            { value: 'line', label: 'As a line' },
            { value: 'arguments', label: 'One argument a line' },
          ]}
        />
      </Group>
      <Textarea
        id="command"
        ref={line.ref}
        autosize
        minRows={commandMode === 'line' ? 2 : 4}
        maxRows={14}
        spellCheck={false}
        description="Empty runs the image’s own command. There is no shell: variables and pipes need “sh -c '…'”."
        placeholder={commandMode === 'line' ? "sh -c 'echo hello; sleep 5'" : 'sh\n-c\necho hello; sleep 5'}
        classNames={{ input: styles.input }}
        value={field.value}
        onChange={field.onChange}
        onBlur={field.onBlur}
        error={error ?? (parsed.ok ? undefined : parsed.message)}
      />
      {parsed.ok && parsed.argv.length > 0 ? (
        <div className={styles.preview} role="group" aria-label="Arguments that will run">
          {parsed.argv.map((argument, index) => (
            <code key={index} className={styles.argument}>
              {argument === '' ? '(empty)' : argument}
            </code>
          ))}
        </div>
      ) : null}
    </div>
  );
}
