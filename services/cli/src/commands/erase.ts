import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  shortcomings,
  signCertificate,
  type Certificate,
  type ErasureAnswer,
} from '../erase/certificate.ts';
import { findSubject, openValues, samplesOf, type Sample, type Subject } from '../erase/find.ts';
import { needlesOf } from '../erase/needles.ts';
import { searchFolders } from '../erase/search.ts';
import { exitCodes, usageFault, type ExitCode } from '../fault.ts';
import { ensureSigningKey } from '../receipt/index.ts';
import { table } from '../render/table.ts';
import {
  listOption,
  numberOption,
  printJson,
  textOption,
  type CommandSpec,
  type Context,
  type Options,
} from './command.ts';
import { openEdges, type Edges } from './edges.ts';

const defaultWaitSeconds = 60;
const pollMs = 500;

/** What is found of a person, for people. */
export function renderSubject(subject: Subject, away: readonly string[]): string {
  const { keys, contacts, contactIds, streams, linked, holds, contactsKnown } = subject;
  const named = contactIds.slice(0, 10).join(', ');
  const lines = [
    table(
      [
        { heading: 'key' },
        { heading: 'made in' },
        { heading: 'may be in' },
        { heading: 'made at' },
      ],
      keys.map((key) => [key.id, key.region, key.regions.join(', '), key.createdAt]),
    ).trimEnd(),
    contactsKnown
      ? `Contacts sealed with them: ${contacts}${named === '' ? '' : ` (${named}${contacts > 10 ? ', …' : ''})`}.`
      : 'Contacts and links are not known: no edge could ask its read models.',
    ...(streams.length === 0 ? [] : [`Streams of clients: ${streams.join(', ')}.`]),
    ...linked.map(
      ({ keyId, by, contacts: count }) =>
        `Linked: key ${keyId}, of ${count} contacts, is in the same ${by}. It is NOT erased with them.`,
    ),
    ...(holds.length === 0
      ? []
      : [`Held by ${holds.join(', ')}: the erasure will wait for these.`]),
    ...away.map((one) => `Not asked: ${one}`),
  ];
  return `${lines.join('\n')}\n`;
}

async function erase(context: Context, identity: string, options: Options): Promise<ExitCode> {
  const { io } = context;
  const reason = textOption(options, 'reason');
  if (reason === undefined && options['dryRun'] !== true) {
    throw usageFault('--reason is missing: it is kept with the certificate.');
  }
  const normal = (text: string): string => text.normalize('NFKC').toLowerCase().trim();
  if (normal(reason ?? '').includes(normal(identity))) {
    throw usageFault('--reason names the person: it would stay on the log.\nName a case instead.');
  }
  const edges = await openEdges(context, options);
  try {
    const subject = await findSubject(edges, identity);
    if (!context.json) io.out(renderSubject(subject, edges.away));
    if (subject.keys.length === 0) {
      if (context.json) printJson(context, { subject, erased: false });
      else io.out('No key of this identity is held: nothing of it is sealed, or it was erased.\n');
      return exitCodes.notFound;
    }
    if (options['dryRun'] === true) {
      if (context.json) printJson(context, { subject, erased: false });
      return exitCodes.ok;
    }
    if (options['yes'] !== true && !(await isConfirmed(context))) {
      io.err('Nothing was erased.\n');
      return exitCodes.no;
    }
    return await carryOut(context, edges, { identity, subject, reason: reason ?? '' }, options);
  } finally {
    edges.close();
  }
}

async function isConfirmed({ io }: Context): Promise<boolean> {
  io.err('This cannot be undone. Type "erase" to go on: ');
  for await (const chunk of io.stdin) {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return text.trim() === 'erase';
  }
  return false;
}

interface Order {
  readonly identity: string;
  readonly subject: Subject;
  readonly reason: string;
}

async function carryOut(
  context: Context,
  edges: Edges,
  { identity, subject, reason }: Order,
  options: Options,
): Promise<ExitCode> {
  const { io, paint } = context;
  const waitMs = (numberOption(options, 'wait', 1) ?? defaultWaitSeconds) * 1_000;
  const samples = await samplesOf(edges, subject);
  const erasures = await askAndWait(context, edges, subject, { reason, waitMs });
  const isWhole = erasures.every(({ state }) => state === 'ERASED');
  if (!context.json) for (const one of erasures) io.out(renderErasure(one, waitMs));
  const certificate: Certificate = {
    format: 'meridian.erasure-certificate.v1',
    erasures,
    opened: isWhole ? await stillOpen(edges, identity, samples) : [],
    search: isWhole ? await searched(context, identity, samples, options) : null,
    at: new Date(io.now()).toISOString(),
  };
  const problems = shortcomings(certificate);
  const file = isWhole ? writeCertificate(context, edges, certificate, options) : undefined;
  if (context.json) printJson(context, { subject, certificate, problems, file: file ?? null });
  else {
    io.out(renderProof(certificate, samples));
    io.out(problems.map((one) => `${paint('red', 'NOT proven')}: ${one}\n`).join(''));
    if (problems.length === 0) io.out(`${paint('green', 'Erased')}: nothing opens any more.\n`);
    if (file !== undefined) io.out(`The certificate is in ${file}.\n`);
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.no;
}

/** One erasure for each edge that holds keys which no other one holds. */
async function askAndWait(
  { io }: Context,
  edges: Edges,
  { keys }: Subject,
  { reason, waitMs }: { readonly reason: string; readonly waitMs: number },
): Promise<ErasureAnswer[]> {
  const byEdge = Map.groupBy(keys, ({ heldBy }) => heldBy);
  return Promise.all(
    [...byEdge].map(async ([region, held]) => {
      const client = edges.there.find((edge) => edge.region === region)?.client;
      if (client === undefined) throw new TypeError(`${region} has no edge here.`);
      const id = randomUUID();
      const keyIds = held.map((key) => key.id);
      await client.post('/v1/privacy/erasures', { id, keyIds, reason });
      const untilMs = io.now() + waitMs;
      for (;;) {
        const answer = await client.get<{ erasures: readonly ErasureAnswer[] }>(
          '/v1/privacy/erasures',
        );
        const found = answer.erasures.find((one) => one.id === id);
        const isOver = io.now() >= untilMs || io.signal.aborted;
        if (found !== undefined && (isOver || found.state !== 'REQUESTED')) return found;
        if (isOver) throw usageFault(`The erasure ${id} was asked for and is not decided yet.`);
        await delay(pollMs);
      }
    }),
  );
}

function renderErasure({ id, state, holds, regions }: ErasureAnswer, waitMs: number): string {
  const said = regions.map(({ region, destroyed, absent, at }) =>
    at === null
      ? `  ${region}: has not said anything yet\n`
      : `  ${region}: ${destroyed} destroyed, ${absent} not held there (${at})\n`,
  );
  const more =
    state === 'BLOCKED'
      ? `  blocked by ${holds.join(', ')}: it goes on when these are released\n`
      : state === 'REQUESTED'
        ? `  not whole within ${waitMs / 1_000} s: it goes on by itself; see GET /v1/privacy/erasures/${id}\n`
        : '';
  return `Erasure ${id}: ${state}\n${said.join('')}${more}`;
}

/** Asks every edge for keys of the identity, and to open what opened before. */
async function stillOpen(
  edges: Edges,
  identity: string,
  samples: readonly Sample[],
): Promise<Certificate['opened']> {
  const values = samples.map(({ sealed }) => sealed);
  return Promise.all(
    edges.there.map(async ({ region, client }) => {
      const { keys } = await client.post<Subject>('/v1/privacy/subjects', { identity });
      const opened = await openValues(client, values);
      const count = opened?.filter((text) => text !== undefined).length ?? 0;
      const tried = opened === undefined ? 0 : values.length;
      return { region, keys: keys.length, tried, opened: count };
    }),
  );
}

async function searched(
  { io }: Context,
  identity: string,
  samples: readonly Sample[],
  options: Options,
): Promise<Certificate['search']> {
  const folders = listOption(options, 'search')?.map((one) => resolve(io.folder, one));
  if (folders === undefined) return null;
  const texts = [...new Set([identity, ...samples.flatMap(({ clear }) => clear ?? [])])];
  const { findings, ...rest } = await searchFolders(folders, needlesOf(texts));
  return {
    folders,
    ...rest,
    texts: texts.length,
    findings: findings.map(({ file, offset }) => ({ file, offset })),
  };
}

function renderProof({ opened, search }: Certificate, samples: readonly Sample[]): string {
  const before = samples.filter(({ clear }) => clear !== undefined).length;
  return [
    ...opened.map(
      ({ region, keys, tried, opened: count }) =>
        `${region}: ${keys} keys found; of ${tried} values ${count} open (${before} did before).\n`,
    ),
    search === null
      ? ''
      : `Searched ${search.files} files (${search.bytes} bytes) for ${search.texts} texts: ` +
        `${search.findings.length} found.\n`,
  ].join('');
}

function writeCertificate(
  { io }: Context,
  edges: Edges,
  certificate: Certificate,
  options: Options,
): string | undefined {
  const asked = textOption(options, 'certificate');
  if (asked === undefined) return undefined;
  const file = resolve(io.folder, asked);
  const keys = textOption(options, 'keys') ?? join('.meridian', 'keys');
  const [edge] = edges.there;
  const key = ensureSigningKey(resolve(io.folder, keys), edge?.region ?? '');
  writeFileSync(file, `${signCertificate(certificate, key)}\n`);
  return file;
}

export const eraseCommand: CommandSpec = {
  usage: 'erase <identity>',
  summary: 'Make all personal data of somebody unreadable for good, in every region, and prove it',
  options: [
    { flags: '--reason <text>', text: 'why; it is kept on the log and must not name the person' },
    { flags: '--dry-run', text: 'show what is found and linked, and do nothing' },
    { flags: '--yes', text: 'do not ask' },
    { flags: '--edges <urls>', text: 'the edges of the other regions, with commas' },
    { flags: '--search <folders>', text: 'look through these afterwards for what was sealed' },
    { flags: '--certificate <file>', text: 'write what was done and proven, signed' },
    { flags: '--keys <folder>', text: 'where the signing keys are; .meridian/keys by default' },
    { flags: '--wait <seconds>', text: `how long to wait; ${defaultWaitSeconds} by default` },
  ],
  examples: [
    'meridian erase "+49 30 901820" --dry-run',
    'meridian erase "+49 30 901820" --reason "request 17" --search .meridian --certificate 17.json',
  ],
  run: (context, [identity = ''], options) => erase(context, identity, options),
};
