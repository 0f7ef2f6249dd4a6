import { describe, expect, it } from '@jest/globals';
import { journalOf, Ledger, memoryLog, type Log } from '@meridian/journal';
import { FollowedPrivacy, privacyRequest, type PrivacyRequest } from '@meridian/privacy';
import { PrivacyDesk } from '../src/privacy/privacy-desk.ts';

const at = 1_790_000_000_000;
const regions = ['eu', 'us'];
const key = { id: 'k1', regions: ['eu', 'us'] };
const now = new Date(at).toISOString();

async function stored(
  log: Log,
  region: string,
  id: string,
  request: Pick<PrivacyRequest, 'type' | 'data'> & { readonly subject?: string },
): Promise<number> {
  const made = privacyRequest({
    tenant: 'demo',
    region,
    regions,
    service: 'edge',
    id,
    subject: 'all',
    actor: 'admin1',
    now,
    ...request,
  });
  if (!made.ok) throw new Error(made.problems[0]?.detail);
  return (await log.append(made.store.stream, made.store.message)).sequence;
}

/** A desk of the home eu in a region that decides for it. */
function deskIn(log: Log, region: string, epoch: number, ledger: Ledger): PrivacyDesk {
  const writer = { region, home: 'eu', service: 'privacy', epoch };
  return new PrivacyDesk({ journal: journalOf(log, writer, { ledger }), now: () => at });
}

const erase = {
  type: 'meridian.privacy.erase_subject.v1',
  data: { erasureId: 'e1', keys: [key], reason: 'r' },
} as const;
const confirm = (region: string) =>
  ({
    type: 'meridian.privacy.confirm_keys_destroyed.v1',
    data: { erasureId: 'e1', region, destroyed: ['k1'], absent: [] },
  }) as const;

async function take(desk: PrivacyDesk, log: Log, stream: string, sequence: number) {
  const message = await log.get(stream, sequence);
  if (message === undefined) throw new Error(`${stream} has no ${sequence}.`);
  return desk.onRequest(message, { source: stream, sequence });
}

const types = async (log: Log, stream: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const batch of log.replayBatches(stream)) {
    for (const message of batch) {
      for (const [, type] of message.text().matchAll(/"type":"meridian\.privacy\.(\w+)\.v1"/g)) {
        found.push(type as string);
      }
    }
  }
  return found;
};

describe('the desk of persons’ data', () => {
  it('decides a request once, says who asked, and goes on in the next owner', async () => {
    const log = memoryLog({ now: () => at });
    const ledger = new Ledger();
    const first = deskIn(log, 'eu', 1, ledger);
    const asked = await stored(log, 'us', 'r1', erase);
    expect(await take(first, log, 'IN_us', asked)).toMatchObject({ kind: 'decided' });
    expect(await take(first, log, 'IN_us', asked)).toMatchObject({ kind: 'decided', events: [] });
    await take(first, log, 'IN_eu', await stored(log, 'eu', 'r2', confirm('eu')));
    expect(await types(log, 'EV_eu')).toEqual(['subject_erasure_requested', 'keys_destroyed']);
    const [entry] = log.messages('EV_eu');
    expect(entry?.subject).toBe('ev.eu.eu.demo.privacy.all');
    expect(entry?.text()).toContain('"actor":"admin1"');
    expect(entry?.text()).toContain('"requestedBy":"admin1"');

    // eu is lost; us goes on, and is given what was decided already once more.
    const seals = [{ epoch: 1, owner: 'eu', upTo: log.messages('EV_eu').length }];
    ledger.take({ home: 'eu', epoch: 2, owner: 'us', seals });
    const next = deskIn(log, 'us', 2, ledger);
    expect(await take(next, log, 'IN_us', asked)).toMatchObject({ events: [] });
    await take(next, log, 'IN_us', await stored(log, 'us', 'r3', confirm('us')));
    expect(await types(log, 'EV_us')).toEqual(['keys_destroyed', 'subject_erased']);

    const followed = new FollowedPrivacy({
      log,
      ledger,
      regions,
      onFailure: (error) => {
        throw error;
      },
    });
    await followed.caughtUp();
    expect(followed.of('demo').erasures.get('e1')?.state).toBe('ERASED');
    expect(followed.isErased('demo', 'k1')).toBe(true);
    expect(followed.isErased('other', 'k1')).toBe(false);
    expect(followed.residencyOf('demo')).toEqual(regions);
    await followed.close();
  });

  it('keeps accesses by day, apart from what is decided, and takes nothing elsewhere', async () => {
    const log = memoryLog({ now: () => at });
    const desk = deskIn(log, 'eu', 1, new Ledger());
    const access = (subject: string) =>
      ({
        type: 'meridian.privacy.record_access.v1',
        subject,
        data: { kind: 'LOG', what: '/v1/log/EV_eu', region: 'eu' },
      }) as const;
    await take(desk, log, 'IN_eu', await stored(log, 'eu', 'a1', access('access-20260921')));
    expect(log.messages('EV_eu')[0]?.subject).toBe('ev.eu.eu.demo.privacy.access-20260921');
    expect(await types(log, 'EV_eu')).toEqual(['accessed']);
    const wrong = await stored(log, 'eu', 'a2', access('all'));
    await expect(take(desk, log, 'IN_eu', wrong)).rejects.toThrow('cannot be about all');
    const odd = await stored(log, 'eu', 'r1', { ...erase, subject: 'access-20260921' } as never);
    await expect(take(desk, log, 'IN_eu', odd)).rejects.toThrow('cannot be about access-20260921');
  });
});
