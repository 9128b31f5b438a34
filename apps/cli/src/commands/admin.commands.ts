import type { Command } from 'commander';
import type { CliEnvironment } from '../environment.js';
import { addBackupCommands } from './backup.commands.js';
import { addDeadLetterCommands } from './dead-letter.commands.js';

export function addAdminCommands(program: Command, environment: CliEnvironment): void {
  const admin = program.command('admin').description('for administrators');
  addDeadLetterCommands(admin, environment);
  addBackupCommands(admin, environment);
}
