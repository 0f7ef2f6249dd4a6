import { describe, expect, it } from '@jest/globals';
import { describeLog } from '@meridian/testing';
import { LogUnavailable, memoryLog, StreamMissing, type AppendFate } from './index.ts';

describeLog('the log in memory', async () => {
  const log = memoryLog({ maxPayloadBytes: 100_000 });
  return {
    log,
    stream: 'S',
    prefix: 's',
    maxPayloadBytes: 100_000,
    close: () => log.close(),
  };
});

describe('the log in memory, as a simulator uses it', () => {
  const subject = 's.a';

  it('asks the clock for the time', async () => {
    let nowMs = 1_000;
    const log = memoryLog({ now: () => nowMs++ });
    await log.append('S', { subject, data: '1' });
    await log.append('S', { subject, data: '2' });
    const times = (await log.load('S', subject)).map(({ storedAtMs }) => storedAtMs);
    expect(times).toEqual([1_000, 1_001]);
  });

  it('forgets message ids by age and by count', async () => {
    let nowMs = 0;
    const log = memoryLog({ now: () => nowMs, duplicateWindow: { ms: 100, count: 2 } });
    const append = async (messageId: string) =>
      (await log.append('S', { subject, data: '', messageId })).duplicate;
    expect(await append('a')).toBe(false);
    nowMs = 100;
    expect(await append('a')).toBe(true);
    nowMs = 101;
    expect(await append('a')).toBe(false);
    expect(await append('b')).toBe(false);
    expect(await append('c')).toBe(false);
    expect(await append('a')).toBe(false);
  });

  it('refuses or loses answers as it is told', async () => {
    const fates: AppendFate[] = ['refuse', 'lose-answer', 'store'];
    const log = memoryLog({ onAppend: () => fates.shift() ?? 'store' });
    const message = { subject, data: '', messageId: 'm', expectedLastSequence: 0 };
    await expect(log.append('S', message)).rejects.toThrow(LogUnavailable);
    expect(await log.lastSequence('S')).toBe(0);
    await expect(log.append('S', message)).rejects.toThrow(LogUnavailable);
    expect(await log.lastSequence('S')).toBe(1);
    expect(await log.append('S', message)).toEqual({ sequence: 1, duplicate: true });
  });

  it('delivers when the scheduler lets it', async () => {
    const tasks: (() => void)[] = [];
    const log = memoryLog({ schedule: (task) => void tasks.push(task) });
    const read: string[] = [];
    log.follow('S', { after: 0 }, ({ sequence }) => void read.push(`a${sequence}`));
    log.follow('S', { after: 0 }, ({ sequence }) => void read.push(`b${sequence}`));
    await log.append('S', { subject, data: '' });
    await log.append('S', { subject, data: '' });
    expect(read).toEqual([]);
    for (const task of tasks.splice(0)) task();
    expect(read).toEqual(['a1', 'a2', 'b1', 'b2']);
    expect(tasks).toEqual([]);
  });

  it('knows the streams it was given', async () => {
    const log = memoryLog({ streams: ['S'] });
    await log.append('S', { subject, data: '' });
    await expect(log.append('T', { subject, data: '' })).rejects.toThrow(StreamMissing);
    await expect(log.lastSequence('T')).rejects.toThrow(StreamMissing);
  });

  it('tells of what was stored', async () => {
    const stored: string[] = [];
    const log = memoryLog({ onStored: (stream, sequence) => void stored.push(stream + sequence) });
    await log.append('S', { subject, data: '', messageId: 'm' });
    await log.append('S', { subject, data: '', messageId: 'm' });
    await log.append('T', { subject, data: '' });
    expect(stored).toEqual(['S1', 'T1']);
  });
});

describe('a mirror in memory', () => {
  const subject = 's.a';

  it('holds what was placed under the same sequence, time and headers, and gives it out', async () => {
    const origin = memoryLog({ now: () => 7 });
    const mirror = memoryLog({ now: () => 9 });
    const read: string[] = [];
    mirror.follow('S', { after: 0 }, (message) => void read.push(message.text()));
    await origin.append('S', { subject, data: 'one', headers: { x: 'y' }, messageId: 'm' });
    await origin.append('S', { subject: 's.b', data: Uint8Array.of(116, 119, 111) });
    for (const message of origin.messages('S')) mirror.place(message);
    const copies = mirror.messages('S');
    expect(copies.map(({ sequence, storedAtMs }) => [sequence, storedAtMs])).toEqual([
      [1, 7],
      [2, 7],
    ]);
    expect(copies[0]?.header('x')).toBe('y');
    expect(await mirror.lastSequence('S', subject)).toBe(1);
    expect(await mirror.load('S', 's.b')).toEqual([copies[1]]);
    expect(read).toEqual(['one', 'two']);
    expect(await mirror.append('S', { subject, data: 'one', messageId: 'm' })).toEqual({
      sequence: 1,
      duplicate: true,
    });
  });

  it('refuses a message that is not the next one', async () => {
    const origin = memoryLog();
    const mirror = memoryLog();
    await origin.append('S', { subject, data: '1' });
    await origin.append('S', { subject, data: '2' });
    const [first, second] = origin.messages('S');
    expect(() => mirror.place(second!)).toThrow('S goes on at 1, not at 2.');
    mirror.place(first!);
    expect(() => mirror.place(first!)).toThrow('S goes on at 2, not at 1.');
  });

  it('comes back short: what is gone is gone from every index', async () => {
    const log = memoryLog();
    for (const id of ['a', 'b', 'c']) await log.append('S', { subject, data: id, messageId: id });
    await log.append('S', { subject: 's.b', data: 'd' });
    log.truncate('S', 1);
    expect(log.messages('S').map((message) => message.text())).toEqual(['a']);
    expect(await log.lastSequence('S')).toBe(1);
    expect(await log.lastSequence('S', 's.b')).toBe(0);
    expect(await log.append('S', { subject, data: 'e', expectedLastSequence: 1 })).toEqual({
      sequence: 2,
      duplicate: false,
    });
    expect((await log.append('S', { subject, data: 'b', messageId: 'b' })).duplicate).toBe(false);
    expect((await log.append('S', { subject, data: 'a', messageId: 'a' })).duplicate).toBe(true);
  });

  it('is not cut short under a follower', async () => {
    const log = memoryLog();
    await log.append('S', { subject, data: '1' });
    const follower = log.follow('S', { after: 0 }, () => undefined);
    expect(() => log.truncate('S', 0)).toThrow('S has 1 followers: close them first.');
    await follower.close();
    log.truncate('S', 0);
    expect(log.messages('S')).toEqual([]);
  });
});
