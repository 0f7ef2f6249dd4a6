import { exitCodes, usageFault } from '../fault.ts';
import { table } from '../render/table.ts';
import { listOption, printJson, textOption, type CommandSpec } from './command.ts';

interface KeyRow {
  readonly id: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
  readonly label: string;
  readonly createdAt: string;
  readonly revokedAt?: string;
  /** Only in the answer that made it. */
  readonly token?: string;
}

const renderKeys = (keys: readonly KeyRow[]): string =>
  table(
    [
      { heading: 'id' },
      { heading: 'tenant' },
      { heading: 'scopes' },
      { heading: 'label' },
      { heading: 'created' },
      { heading: '' },
    ],
    keys.map(({ id, tenant, scopes, label, createdAt, revokedAt }) => [
      id,
      tenant,
      scopes.join(', '),
      label,
      createdAt,
      revokedAt === undefined ? '' : `revoked ${revokedAt}`,
    ]),
  );

export const keysCommands: readonly CommandSpec[] = [
  {
    usage: 'create',
    summary: 'Make an API key; its token is shown only now',
    options: [
      { flags: '--scopes <scopes>', text: 'publish, read, admin, personal; several with commas' },
      { flags: '--label <label>', text: 'whom it is for' },
    ],
    examples: ['meridian keys create --scopes publish,read --label crm'],
    async run(context, _args, options) {
      const scopes = listOption(options, 'scopes');
      if (scopes === undefined) {
        throw usageFault('What may the key do?\nGive --scopes: publish, read, admin, personal.');
      }
      const label = textOption(options, 'label');
      const key = await context.client.post<KeyRow>('/v1/keys', {
        scopes,
        ...(label === undefined ? {} : { label }),
      });
      if (context.json) printJson(context, key);
      else {
        context.io.out(
          `${renderKeys([key])}\n${key.token ?? ''}\nKeep it: it is not shown again.\n`,
        );
      }
      return exitCodes.ok;
    },
  },
  {
    usage: 'list',
    summary: 'The keys of the tenant, without their secrets',
    examples: ['meridian keys list', 'meridian keys list --json'],
    async run(context) {
      const answer = await context.client.get<{ keys: readonly KeyRow[] }>('/v1/keys');
      if (context.json) printJson(context, answer);
      else context.io.out(renderKeys(answer.keys));
      return exitCodes.ok;
    },
  },
  {
    usage: 'revoke <id>',
    summary: 'Revoke a key: it is worth nothing from now on',
    examples: ['meridian keys revoke 3f9a1c5e7b20'],
    async run(context, [id = '']) {
      await context.client.delete(`/v1/keys/${encodeURIComponent(id)}`);
      if (context.json) printJson(context, { id, revoked: true });
      else context.io.out(`The key ${id} is revoked.\n`);
      return exitCodes.ok;
    },
  },
];
