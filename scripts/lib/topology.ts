/** Makes what the servers of a mesh need from its description; run by scripts/topology. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  locationsIn,
  parseTopology,
  productionLocations,
  serverConfigs,
  writeMesh,
} from '@meridian/topology';
import { ROOT } from '../checks/workspace.ts';

const help = `Usage: scripts/topology [options]

Without options: writes the servers' configurations to deploy/nats; nothing in them is secret.

  --regions FILE   the description of the mesh (default deploy/regions.yaml)
  --check          only say whether deploy/nats is up to date; exit code 1 when it is not
  --out DIR        write everything that servers and services need to DIR: configurations, an NKey
                   for each user, certificates of an authority made for it. What is there is kept:
                   run it again after a change, or to renew certificates
  --here           with --out: the servers run in DIR; without, they find a region's folder at
                   /etc/meridian/nats and store in /var/lib/meridian/nats
  --help           this text
`;

const template = join(ROOT, 'deploy/nats');

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** What of the template is not as generated. */
function outdated(configs: ReadonlyMap<string, string>): string[] {
  const there = filesIn(template);
  return [
    ...there.filter((path) => !configs.has(path)).map((path) => `${path} belongs to no server`),
    ...[...configs]
      .filter(([path, text]) => !there.includes(path) || text !== read(join(template, path)))
      .map(([path]) => `${path} is ${there.includes(path) ? 'out of date' : 'missing'}`),
  ];
}

const read = (file: string): string => readFileSync(file, 'utf8');

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      regions: { type: 'string', default: join(ROOT, 'deploy/regions.yaml') },
      check: { type: 'boolean', default: false },
      out: { type: 'string' },
      here: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const topology = parseTopology(read(values.regions), values.regions);
  if (values.out !== undefined) {
    const folder = resolve(values.out);
    await writeMesh(topology, folder, values.here ? locationsIn(folder) : productionLocations);
    console.log(`${folder}: configurations, keys and certificates; seeds and keys are secret`);
    return 0;
  }
  const configs = serverConfigs(topology, productionLocations);
  const problems = outdated(configs);
  if (values.check) {
    for (const problem of problems) console.log(`deploy/nats/${problem}`);
    if (problems.length > 0) console.log('Run scripts/topology to write it anew.');
    else console.log(`topology: ok (${configs.size} servers)`);
    return problems.length === 0 ? 0 : 1;
  }
  rmSync(template, { recursive: true, force: true });
  for (const [path, text] of configs) {
    const file = join(template, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  console.log(`deploy/nats: ${configs.size} configurations, ${problems.length} of them changed`);
  return 0;
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
