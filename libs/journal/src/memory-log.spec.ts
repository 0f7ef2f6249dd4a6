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
});
