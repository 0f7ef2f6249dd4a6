import { Command, CommanderError } from 'commander';
import { agentsCommand } from './commands/agents.ts';
import { archiveCommands } from './commands/archive.ts';
import { checkCommand } from './commands/check.ts';
import { clockCommand } from './commands/clock.ts';
import type { CommandSpec, Context } from './commands/command.ts';
import { contactCommand } from './commands/contact.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { drillCommand } from './commands/drill.ts';
import { drillsCommand } from './commands/drills.ts';
import { eraseCommand } from './commands/erase.ts';
import { exportCommand } from './commands/export.ts';
import { failbackCommand, failoverCommand } from './commands/failover.ts';
import { importCommand } from './commands/import.ts';
import { keysCommands } from './commands/keys.ts';
import {
  auditCommands,
  certificateCommands,
  holdCommands,
  residencyCommands,
} from './commands/privacy.ts';
import { playCommand } from './commands/play.ts';
import { proveCommand } from './commands/prove.ts';
import { publishCommand } from './commands/publish.ts';
import { queuesCommand } from './commands/queues.ts';
import { receiptCommands } from './commands/receipt.ts';
import { regionsCommand } from './commands/regions.ts';
import { replayCommand } from './commands/replay.ts';
import { retentionCommands } from './commands/retention.ts';
import { setAsideCommands } from './commands/set-aside.ts';
import { tailCommand } from './commands/tail.ts';
import { verifyCommand } from './commands/verify.ts';
import { whatIfCommand } from './commands/what-if.ts';
import { CommandFault, exitCodes, type ExitCode } from './fault.ts';
import { EdgeClient } from './http/client.ts';
import type { Io } from './io.ts';
import { paintFor } from './render/colour.ts';
import { resolveSettings } from './settings.ts';

const commands: readonly CommandSpec[] = [
  publishCommand,
  tailCommand,
  contactCommand,
  explainCommand,
  queuesCommand,
  agentsCommand,
  replayCommand,
  whatIfCommand,
  checkCommand,
  exportCommand,
  importCommand,
  verifyCommand,
  proveCommand,
  eraseCommand,
  doctorCommand,
  clockCommand,
  playCommand,
  regionsCommand,
  failoverCommand,
  failbackCommand,
  drillCommand,
  drillsCommand,
];
const groups: readonly { name: string; summary: string; commands: readonly CommandSpec[] }[] = [
  { name: 'receipt', summary: 'what a drill cost, signed: verify', commands: receiptCommands },
  {
    name: 'archive',
    summary: 'ranges of the log outside the server: create, list, verify, restore, delete',
    commands: archiveCommands,
  },
  { name: 'hold', summary: 'keep from erasure: place, release, list', commands: holdCommands },
  {
    name: 'residency',
    summary: 'the regions in which personal data may be: show, set',
    commands: residencyCommands,
  },
  { name: 'audit', summary: 'who looked into the audit: log', commands: auditCommands },
  {
    name: 'certificate',
    summary: 'what an erasure left behind, signed: verify',
    commands: certificateCommands,
  },
  {
    name: 'retention',
    summary: 'how long messages are kept: plan',
    commands: retentionCommands,
  },
  { name: 'keys', summary: 'API keys: create, list, revoke', commands: keysCommands },
  {
    name: 'set-aside',
    summary: 'what could not be processed: list, retry',
    commands: setAsideCommands,
  },
];

const exitCodesHelp = `
Exit codes:
  0  ok
  1  the answer is no: check found violations, doctor found problems
  2  the command was not understood
  3  not found
  4  refused by the edge (4xx)
  5  the edge cannot be reached, or failed (5xx)
`;
const settingsHelp = `
The edge and the key come from --url and --key, else from MERIDIAN_URL and MERIDIAN_KEY, else from
the regions that scripts/up started in this checkout (.meridian/current.json), of which --region
chooses another than the first.
`;

interface CommonOptions {
  readonly url?: string;
  readonly key?: string;
  readonly region?: string;
  readonly json?: boolean;
  readonly reason?: string;
}

/**
 * Runs one call of `meridian`.
 * @param args without the program's own name
 * @returns the exit code; everything said went through `io`
 */
export async function runMeridian(args: readonly string[], io: Io): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = newCommand('meridian', io)
    .description('Talks to a region of Meridian through its edge.')
    .addHelpText('after', settingsHelp + exitCodesHelp);
  const add = (parent: Command, spec: CommandSpec): void => {
    addCommand(parent, spec, io, (code) => {
      exitCode = code;
    });
  };
  for (const spec of commands) add(program, spec);
  for (const { name, summary, commands: inner } of groups) {
    const group = newCommand(name, io).description(summary);
    for (const spec of inner) add(group, spec);
    program.addCommand(group);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, args.includes('--json'), io);
  }
}

function newCommand(name: string, io: Io): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('Add --help for what it takes.');
}

function addCommand(
  parent: Command,
  spec: CommandSpec,
  io: Io,
  done: (code: ExitCode) => void,
): void {
  const [name = ''] = spec.usage.split(' ');
  const command = newCommand(name, io).description(spec.summary);
  for (const argument of spec.usage.split(' ').slice(1)) command.argument(argument);
  for (const { flags, text } of spec.options ?? []) command.option(flags, text);
  if (spec.looks === true) command.option('--reason <text>', 'why you look: it is recorded');
  command
    .option('--url <url>', 'the edge')
    .option('--key <key>', 'the API key, mk_...')
    .option('--region <region>', 'the edge of another region of this checkout')
    .option('--json', spec.streams === true ? 'one JSON document a line' : 'one JSON document')
    .addHelpText(
      'after',
      `\nExamples:\n${spec.examples.map((line) => `  ${line}\n`).join('')}${exitCodesHelp}`,
    )
    .action(async () => {
      const options = command.opts<CommonOptions & Record<string, unknown>>();
      const { reason = spec.looks === true ? 'not given' : undefined } = options;
      const context = contextOf(io, { ...options, ...(reason === undefined ? {} : { reason }) });
      try {
        done(await spec.run(context, command.args, options));
      } finally {
        context.close();
      }
    });
  parent.addCommand(command);
}

function contextOf(io: Io, options: CommonOptions): Context & { close(): void } {
  let client: EdgeClient | undefined;
  return {
    io,
    json: options.json === true,
    paint: paintFor(io),
    // Made when first needed: a command on a file alone needs no edge.
    get client() {
      if (client === undefined) {
        const { url, key } = resolveSettings(options, io);
        client = new EdgeClient({
          url,
          ...(key === undefined ? {} : { key }),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        });
      }
      return client;
    },
    close() {
      client?.close();
    },
  };
}

function report(error: unknown, asJson: boolean, io: Io): ExitCode {
  // Commander has said what was wrong; showing help or the version is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof CommandFault)) throw error;
  const { message, exitCode } = error;
  io.err(
    asJson ? `${JSON.stringify({ error: { exitCode, message } })}\n` : `meridian: ${message}\n`,
  );
  return exitCode;
}
