import { Command } from 'commander';
import { addAdminCommands } from './commands/admin.commands.js';
import { addFileCommands } from './commands/file.commands.js';
import { addFleetCommands } from './commands/fleet.commands.js';
import { addLoginCommands } from './commands/login.command.js';
import { addRunCommand } from './commands/run.command.js';
import { addTaskCommands } from './commands/task.commands.js';
import type { CliEnvironment } from './environment.js';

export function createProgram(environment: CliEnvironment): Command {
  const program = new Command('gantry')
    .description('Run containers on a pool of machines and GPUs.')
    .version('0.1.0')
    .showHelpAfterError('(gantry --help lists the commands)');
  addLoginCommands(program, environment);
  addRunCommand(program, environment);
  addTaskCommands(program, environment);
  addFileCommands(program, environment);
  addFleetCommands(program, environment);
  addAdminCommands(program, environment);
  return program;
}
