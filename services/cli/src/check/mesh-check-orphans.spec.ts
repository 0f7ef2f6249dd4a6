import { describe, expect, it } from '@jest/globals';
import { contact, routing } from '../../test/drafts.ts';
import type { MeshBuilder } from '../../test/mesh-builder.ts';
import {
  borrowed,
  checkStreams,
  completed,
  foundIn,
  lent,
  ofUs,
  returned,
  setAside,
  waiting,
  type Streams,
} from '../../test/mesh-scenes.ts';
import type { RawEntry } from './index.ts';

describe('2: orphans', () => {
  const ownership = { by: 'eu', epoch: 2, tenant: 'meridian' } as const;
  function lost(): { mesh: MeshBuilder; orphan: RawEntry } {
    const mesh = waiting();
    const orphan = mesh.add('us', 'contact.c2', 8, contact.initiated('c2'), { isOrphan: true });
    mesh.add('us', 'ownership.us', 10, [completed('us', 2, 'eu', [['us', 4]])], ownership);
    return { mesh, orphan };
  }

  it('finds one of which nothing became, and one of which two things did', async () => {
    const { mesh, orphan } = lost();
    const expected = 'orphan.adopted or orphan.set_aside of EV_us:5, once';
    const violation = { rule: 'orphan', at: 'us 5', expected };
    expect(await foundIn(mesh.streams)).toEqual([{ ...violation, found: 'neither' }]);
    const { orphans } = await checkStreams(mesh.streams);
    expect(orphans).toEqual([
      expect.objectContaining({ stream: 'EV_us', sequence: 5, outcome: undefined }),
    ]);
    mesh.add('us', 'ownership.us', 11, [setAside(orphan, 'us', 1)], ownership);
    expect(await foundIn(mesh.streams)).toEqual([]);
    mesh.add('us', 'ownership.us', 12, [setAside(orphan, 'us', 1)], ownership);
    expect(await foundIn(mesh.streams)).toEqual([{ ...violation, found: '2 of them' }]);
  });

  it('finds an account of what is none, and of another epoch', async () => {
    const { mesh, orphan } = lost();
    mesh.add('us', 'ownership.us', 11, [setAside(orphan, 'us', 2)], ownership);
    const counted = (mesh.streams.get('EV_us') as RawEntry[])[3] as RawEntry;
    mesh.add('us', 'ownership.us', 12, [setAside(counted, 'us', 1)], ownership);
    expect(await foundIn(mesh.streams)).toEqual([
      { rule: 'orphan', at: 'eu 3', expected: 'EV_us:5: us, epoch 1', found: 'us, epoch 2' },
      {
        rule: 'orphan',
        at: 'eu 4',
        expected: 'an entry beyond the seal of its epoch',
        found: 'EV_us:4, which is none',
      },
    ]);
  });

  it('takes what came of a loan that does not count for what it is', async () => {
    const offered = (isOrphan: boolean): Streams => {
      const mesh = waiting();
      const upTo = mesh.length('us');
      const loan = mesh.add('us', 'routing.us', 3, [lent('eu')], { isOrphan: true });
      const cause = isOrphan ? { cause: loan } : {};
      mesh.add('eu', 'routing.eu', 3, borrowed('c1-r1', isOrphan ? 1 : 2), cause);
      mesh.add('us', 'ownership.us', 10, [completed('us', 2, 'eu', [['us', upTo]])], ownership);
      const now = { by: 'eu', epoch: 2 } as const;
      mesh.add('us', 'ownership.us', 11, [setAside(loan, 'us', 1)], ownership);
      const offer = [
        routing.signedIn('a2'),
        routing.decided('c1', 'OFFERED', 'AGENT_FREED', 2, { agentId: 'a2' }),
        routing.created('c1-r1-e2', 'c1', 'a2', 32),
      ];
      mesh.add('us', 'routing.us', 12, offer, now);
      const gone = ofUs(routing.changed('rescinded', 'c1-r1', 'c1', 'a1'));
      mesh.add('eu', 'routing.eu', 12, [gone, returned()]);
      return mesh.streams;
    };
    expect(await foundIn(offered(true))).toEqual([]);
    const rules = (await foundIn(offered(false))).map(({ rule }) => rule);
    expect(new Set(rules)).toEqual(new Set(['partition', 'one-offer']));
  });

  it('finds what follows from an entry of its own home that does not count', async () => {
    const { mesh, orphan } = lost();
    mesh.add('us', 'ownership.us', 11, [setAside(orphan, 'us', 1)], ownership);
    // Another home may have acted on it as it arrived.
    mesh.add('eu', 'routing.eu', 12, [routing.signedIn('a2')], { cause: orphan });
    expect(await foundIn(mesh.streams)).toEqual([]);
    const now = { by: 'eu', epoch: 2 } as const;
    mesh.add('us', 'routing.us', 12, [routing.signedIn('a3')], { ...now, cause: orphan });
    expect(await foundIn(mesh.streams)).toEqual([
      {
        rule: 'unknown-cause',
        at: 'eu 5',
        expected: 'demo.contact.c2.2 earlier in the log',
        found: 'none',
      },
    ]);
  });
});
