import { setTimeout as delay } from 'node:timers/promises';
import { connectNats, jetstreamLog } from '@meridian/journal';
import { natsServerBinary, temporaryFolder } from '@meridian/testing';
import { intakeStream, intakeSubject } from '@meridian/wire';
import { startDevelopmentMesh, type DevelopmentMesh } from '../src/development/mesh.ts';
import type { MeshMember } from '../src/development/member.ts';
import { treeMib } from './memory.ts';
import { measuredPrefix, type LoadReport } from './offer-load.ts';
import { quantile, readOffers } from './offers.ts';
import { atMostRow, type Row } from './rates.ts';
import { runLoad } from './region-rows.ts';

type Say = (line: string) => void;

/** A contact is five requests and some seventeen events: 600 events a second over three regions. */
const load = { contactsPerSecond: 12, agents: 40, warmUpSeconds: 8, seconds: 30 } as const;
const eventsPerContact = 17;
/** What is replicated to measure the lag: messages a second, of about this many bytes. */
const replicated = { perSecond: 2_000, seconds: 20, bytes: 500 } as const;
const settleMs = 5_000;

/** Three regions on this machine: memory, offers under load in all of them, replication lag. */
export async function meshRows(say: Say): Promise<Row[]> {
  say('mesh ...');
  const folder = temporaryFolder();
  try {
    const mesh = await startDevelopmentMesh({
      dataDir: folder.path,
      natsServer: natsServerBinary(),
      say: (line) => say(`  ${line}`),
    });
    try {
      return await rowsOf(mesh, say);
    } finally {
      await mesh.stop();
    }
  } finally {
    folder.remove();
  }
}

async function rowsOf(mesh: DevelopmentMesh, say: Say): Promise<Row[]> {
  const members = [...mesh.regions.values()];
  await delay(settleMs);
  const idle = memoryOf(members);
  const lag = await lagRows(mesh, say);
  const offers = await offersRow(members, say);
  say(`  memory idle ${JSON.stringify(idle)}, after the load ${JSON.stringify(memoryOf(members))}`);
  return [
    atMostRow('memory of three regions in development, idle', 'MiB', sum(idle), 1_536, idle),
    ...lag,
    offers,
  ];
}

const sum = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((all, one) => all + one, 0);

/** PSS in MiB of each region, all its processes. */
function memoryOf(members: readonly MeshMember[]): Record<string, number> {
  return Object.fromEntries(
    members.map(({ name, pids }) => [
      name,
      Math.round([...pids.values()].reduce((all, pid) => all + treeMib(pid), 0)),
    ]),
  );
}

/** Contact queued -> offered while all regions are under load; the slowest region counts. */
async function offersRow(members: readonly MeshMember[], say: Say): Promise<Row> {
  const reports: LoadReport[] = await Promise.all(
    members.map(({ name, url, key }) =>
      runLoad({ url, key, home: name, lingerSeconds: 5, ...load }),
    ),
  );
  let worst = { p50: 0, p99: 0, longest: 0 };
  let offered = 0;
  for (const { name, url, key } of members) {
    const all = await readOffers({ url, key, region: name }, (id) => id.startsWith(measuredPrefix));
    const queued = all.get('CONTACT_QUEUED');
    if (queued === undefined) {
      const seen = [...all].map(([trigger, { count }]) => `${count} ${trigger}`).join(', ');
      const answers = reports.map((one) => JSON.stringify(one)).join('\n');
      throw new Error(
        `Nobody was offered at once in ${name}; offers there: ${seen || 'none'}.\n${answers}`,
      );
    }
    say(`  ${name}: ${queued.count} offers, p50 ${queued.p50} ms, p99 ${queued.p99} ms`);
    offered += queued.count;
    if (queued.p99 > worst.p99) worst = queued;
  }
  const perSecond = reports.reduce((all, one) => all + one.contacts / one.seconds, 0);
  const rate = Math.round(perSecond * eventsPerContact);
  const completed = reports.reduce((all, one) => all + one.completed, 0);
  const sent = reports.reduce((all, one) => all + one.sent, 0);
  return atMostRow(
    `contact queued -> offered, p99 of the slowest of three regions, at about ${rate} events/s`,
    'ms',
    worst.p99,
    100,
    { p50: worst.p50, longest: worst.longest, offers: offered, completed, sent },
  );
}

/** From the storing of a message to its arrival at a reader of another region's copy. */
async function lagRows(mesh: DevelopmentMesh, say: Say): Promise<Row[]> {
  const [origin, copy] = [...mesh.regions.values()] as [MeshMember, MeshMember];
  const stream = intakeStream(origin.name);
  const from = await connectNats({ servers: origin.natsUrl, seedFile: origin.seeds.services });
  const to = await connectNats({ servers: copy.natsUrl, seedFile: copy.seeds.services });
  try {
    const [writer, reader] = [
      await jetstreamLog({ connection: from }),
      await jetstreamLog({ connection: to }),
    ];
    // A home that is none: nobody decides about these.
    const aggregate = { tenant: 'bench', entity: 'contact', id: 'lag' };
    const subject = intakeSubject(origin.name, 'nowhere', aggregate);
    const lags: number[] = [];
    const follower = reader.follow(
      stream,
      { after: await reader.lastSequence(stream), filters: [subject] },
      ({ storedAtMs }) => {
        lags.push(Date.now() - storedAtMs);
      },
    );
    const data = new Uint8Array(replicated.bytes);
    const total = replicated.perSecond * replicated.seconds;
    const start = performance.now();
    const appends: Promise<unknown>[] = [];
    while (appends.length < total) {
      const elapsed = (performance.now() - start) / 1_000;
      const due = Math.min(total, Math.ceil(elapsed * replicated.perSecond));
      while (appends.length < due) appends.push(writer.append(stream, { subject, data }));
      await delay(2);
    }
    await Promise.all(appends);
    const end = performance.now() + 30_000;
    while (lags.length < total && performance.now() < end) await delay(10);
    await follower.close();
    const [p50, p99, longest] = [quantile(lags, 0.5), quantile(lags, 0.99), Math.max(...lags)];
    say(`  lag of ${lags.length} messages: p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms`);
    const what = `replication lag at ${replicated.perSecond} messages/s`;
    return [
      atMostRow(`${what}, p99`, 'ms', p99, 100, { p50, messages: lags.length }),
      atMostRow(`${what}, longest`, 'ms', longest, 1_000),
    ];
  } finally {
    await from.close();
    await to.close();
  }
}
