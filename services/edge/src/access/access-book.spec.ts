import { describe, expect, it } from '@jest/globals';
import { memoryLog, type AppendFate } from '@meridian/journal';
import type { Call } from '../http/route.ts';
import { AccessBook } from './access-book.ts';

type Asked = Pick<Call, 'key' | 'request'>;
const asked = (id: string, reason?: string): Asked =>
  ({
    key: { id, tenant: 'demo' },
    request: { headers: reason === undefined ? {} : { 'meridian-reason': reason } },
  }) as unknown as Asked;

class Stage {
  fate: AppendFate = 'store';
  nowMs = 0;
  readonly log = memoryLog({ onAppend: () => this.fate });
  readonly book = new AccessBook({
    log: this.log,
    region: 'us',
    regions: ['us', 'eu'],
    now: () => '2026-01-31T23:59:59.000Z',
    monotonicMs: () => this.nowMs,
  });

  get recorded(): { actor: string; data: object }[] {
    return this.log
      .messages('IN_us')
      .map((message) => JSON.parse(message.text()) as { actor: string; data: object });
  }
}

describe('who looks', () => {
  it('is on the log before the answer, once a minute for a key, kind and reason', async () => {
    const stage = new Stage();
    await stage.book.record(asked('a', 'case 1'), 'LOG', '/v1/log/EV_eu');
    await stage.book.record(asked('a', 'case 1'), 'LOG', '/v1/log/EV_us');
    expect(stage.recorded).toMatchObject([
      {
        actor: 'a',
        subject: 'access-20260131',
        data: { kind: 'LOG', what: '/v1/log/EV_eu', reason: 'case 1', region: 'us' },
      },
    ]);
    expect(stage.log.messages('IN_us')[0]?.subject).toBe('in.us.demo.eu.privacy.access-20260131');
    await stage.book.record(asked('b', 'case 1'), 'LOG', 'x');
    await stage.book.record(asked('a', 'case 2'), 'LOG', 'x');
    await stage.book.record(asked('a', 'case 1'), 'AS_OF', 'x');
    await stage.book.record(asked('a'), 'LOG', 'x');
    expect(stage.recorded).toHaveLength(5);
    stage.nowMs = 60_000;
    await stage.book.record(asked('a', 'case 1'), 'LOG', 'y');
    expect(stage.recorded).toHaveLength(6);
  });

  it('is not answered while it cannot be stored, and is stored then', async () => {
    const stage = new Stage();
    stage.fate = 'refuse';
    const look = () => stage.book.record(asked('a'), 'LOG', 'x');
    await expect(look()).rejects.toThrow('does not answer');
    stage.fate = 'store';
    await look();
    expect(stage.recorded).toHaveLength(1);
  });

  it('is refused with a reason that cannot be kept', async () => {
    const stage = new Stage();
    const long = asked('a', 'x'.repeat(1_001));
    await expect(stage.book.record(long, 'LOG', 'x')).rejects.toThrow('at most 1000 characters');
    const torn = asked('a', "utf-8''%E4%");
    await expect(stage.book.record(torn, 'LOG', 'x')).rejects.toThrow('percent-encoded');
    expect(stage.recorded).toEqual([]);
    await stage.book.record(asked('a', "utf-8''K%C3%B6ln"), 'LOG', 'x');
    expect(stage.recorded).toMatchObject([{ data: { reason: 'Köln' } }]);
  });
});
