import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { regionsWanted } from './play.ts';
import type { DayFacts } from '../player/index.ts';
import { starterOf, type DeedMessage } from './starter.ts';

describe('the regions that a day is played across', () => {
  const edge = (port: number) => ({ url: `http://127.0.0.1:${port}`, key: `mk_${port}` });
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'meridian-play-'));
    mkdirSync(join(folder, '.meridian'));
    const regions = { us: edge(1), eu: edge(2), ap: edge(3) };
    writeFileSync(
      join(folder, '.meridian', 'current.json'),
      JSON.stringify({ ...regions.us, regions }),
    );
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const names = (env: Record<string, string>, options = {}): string[] => [
    ...regionsWanted({ env, folder }, options).keys(),
  ];

  it('are those that whoever started the player names', () => {
    const env = { MERIDIAN_EDGES: JSON.stringify({ a: edge(4), b: edge(5) }) };
    expect(names(env, { url: 'http://127.0.0.1:9' })).toEqual(['a', 'b']);
    expect(regionsWanted({ env, folder }, {}).get('b')).toEqual(edge(5));
  });

  it('are all that run in the checkout, unless an edge is named', () => {
    expect(names({ MERIDIAN_EDGES: '' })).toEqual(['us', 'eu', 'ap']);
    expect(names({}, { url: 'http://127.0.0.1:9' })).toEqual([]);
    expect(names({}, { region: 'eu' })).toEqual([]);
    expect(names({ MERIDIAN_URL: 'http://127.0.0.1:9' })).toEqual([]);
  });
});

describe('the one who started the player', () => {
  /** A channel to somebody who answers each message as told. */
  function channelTo(answer: (message: DeedMessage) => DeedMessage) {
    const channel = new EventEmitter();
    const send = (message: DeedMessage): boolean => {
      setImmediate(() => channel.emit('message', answer(message)));
      return true;
    };
    return Object.assign(channel, { send }) as unknown as NodeJS.Process;
  }

  it('does what it is asked, and says so', async () => {
    const asked: DeedMessage[] = [];
    const starter = starterOf(
      channelTo((message) => {
        asked.push(message);
        return message;
      }),
    );
    await starter?.kill('eu');
    await starter?.restart('eu');
    expect(asked).toEqual([
      { deed: 'kill', region: 'eu' },
      { deed: 'restart', region: 'eu' },
    ]);
  });

  it('signs what it is given', async () => {
    const facts = { seed: '7' } as DayFacts;
    const signed = { text: '{}', file: '/day.json' };
    const starter = starterOf(channelTo((message) => ({ ...message, signed }) as DeedMessage));
    expect(await starter?.sign(facts)).toEqual(signed);
    const silent = starterOf(channelTo((message) => message));
    await expect(silent?.sign(facts)).rejects.toThrow('no receipt came back');
  });

  it('may fail, or not be there', async () => {
    const starter = starterOf(channelTo((message) => ({ ...message, failed: 'no such region' })));
    await expect(starter?.kill('xx')).rejects.toThrow(
      'The region xx could not be made to kill: no such region',
    );
    await expect(starter?.sign({} as DayFacts)).rejects.toThrow('could not be signed and kept');
    expect(starterOf(new EventEmitter() as unknown as NodeJS.Process)).toBeUndefined();
  });
});
