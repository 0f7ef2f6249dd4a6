import { describe, expect, it } from '@jest/globals';
import type { PlayerRequest, StoredRequest } from './edge.ts';
import { Outbox } from './outbox.ts';

const request = (id: string, region: string): PlayerRequest =>
  ({ id, region }) as unknown as PlayerRequest;

/** An intake that gives each id one sequence, however often it comes. */
function intake(stream: string) {
  const ids: string[] = [];
  return async (requests: readonly PlayerRequest[]): Promise<StoredRequest[]> =>
    requests.map(({ id }) => {
      const duplicate = ids.includes(id);
      if (!duplicate) ids.push(id);
      return { id, stream, sequence: ids.indexOf(id) + 1, duplicate };
    });
}

describe('what was sent', () => {
  it('is acknowledged once, however often it was sent, and at each of its places', async () => {
    const outbox = new Outbox();
    const [eu, us] = [intake('IN_eu'), intake('IN_us')];
    const one = request('a', 'eu');
    const away = () => Promise.reject(new Error('away'));
    await expect(outbox.publish('eu', [one], away)).rejects.toThrow('away');
    expect(outbox.acknowledgements()).toMatchObject({ requests: 0, unanswered: 1, retried: 1 });
    await outbox.publish('eu', [one], eu);
    await outbox.publish('eu', [one, request('b', 'eu')], eu);
    await outbox.publish('us', [one], us);
    const { places, ...counts } = outbox.acknowledgements();
    expect(counts).toEqual({
      requests: 2,
      unanswered: 0,
      retried: 1,
      longestPauseMs: { eu: expect.any(Number) },
    });
    expect(places).toMatchObject([
      { id: 'a', stream: 'IN_eu', sequence: 1 },
      { id: 'b', stream: 'IN_eu', sequence: 2 },
      { id: 'a', stream: 'IN_us', sequence: 1 },
    ]);
  });

  it('is unsure until it is said to be safe, acknowledged or not', async () => {
    const outbox = new Outbox();
    await outbox.publish('eu', [request('a', 'eu')], intake('IN_eu'));
    outbox.isSafe('eu');
    await outbox.publish('eu', [request('b', 'eu')], intake('IN_eu'));
    const never = outbox.publish('eu', [request('c', 'eu')], () => Promise.reject(new Error('x')));
    await expect(never).rejects.toThrow('x');
    expect(
      outbox.unsure('eu').map((sent) => [sent.request.id, sent.acknowledged?.sequence]),
    ).toEqual([
      ['b', 1],
      ['c', undefined],
    ]);
    expect(outbox.unsure('us')).toEqual([]);
  });
});
