import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Facts } from '@meridian/cli';
import { natsServerBinary } from '@meridian/testing';

/** What ran: the package's own version, and what the programs say of themselves. */
export function versions(): Facts['versions'] {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const said = execFileSync(natsServerBinary(), ['--version'], { encoding: 'utf8' });
  return {
    meridian: (JSON.parse(manifest) as { version: string }).version,
    natsServer: /v(\d[\w.-]*)/.exec(said)?.[1] ?? said.trim(),
    node: process.versions.node,
  };
}
