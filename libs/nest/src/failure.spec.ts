import { describe, expect, it } from '@jest/globals';
import {
  AppendRefused,
  CorruptEntry,
  InvalidRequest,
  LogClosed,
  LogUnavailable,
  MessageTooLarge,
  StreamMissing,
  WrongLastSequence,
} from '@meridian/journal';
import { attemptsLimit, onFailure, reasonOf, retryDelayMs } from './failure.ts';

const away = new LogUnavailable('The log is away.', 'Try again.');
const invalid = new InvalidRequest('IN_eu', 4, ['/data/queue is missing.']);

describe('onFailure', () => {
  it.each([
    [1, 50],
    [2, 100],
    [3, 200],
    [7, 3_200],
    [8, 5_000],
    [1_000_000, 5_000],
  ])('waits after failure %i for %i ms', (attempt, delayMs) => {
    expect(retryDelayMs(attempt)).toBe(delayMs);
    expect(onFailure(away, attempt)).toEqual({ kind: 'retry', delayMs });
  });

  it('tries a conflict and a passing refusal again, for ever', () => {
    expect(onFailure(new WrongLastSequence('s', 1, 2), 50)).toEqual({
      kind: 'retry',
      delayMs: 5_000,
    });
    expect(onFailure(new AppendRefused('s', 503, 'busy', true), 50)).toEqual({
      kind: 'retry',
      delayMs: 5_000,
    });
  });

  it.each([
    ['a request that keeps no contract', invalid, 'invalid_request'],
    ['a corrupt entry', new CorruptEntry('EV_eu', 3, 'no JSON'), 'corrupt_entry'],
    ['an entry that is too large', new MessageTooLarge('s', 2, 1), 'message_too_large'],
    ['a refusal for good', new AppendRefused('s', 400, 'no', false), 'append_refused'],
  ])('sets %s aside at once', (_, error, code) => {
    expect(onFailure(error, 1)).toMatchObject({
      kind: 'setAside',
      reason: { code, detail: error.message },
    });
  });

  it('tries what may be the decider a few times before it is set aside', () => {
    const error = new TypeError('x is undefined');
    const choices = Array.from(
      { length: attemptsLimit },
      (_, index) => onFailure(error, index + 1).kind,
    );
    expect(choices).toEqual(['retry', 'retry', 'setAside']);
  });

  it.each([
    ['there is no stream', new StreamMissing('EV_eu')],
    ['the log is closed', new LogClosed('closed')],
  ])('stops when %s, in either order', (_, error) => {
    expect(onFailure(error, 1).kind).toBe('stop');
    expect(onFailure(error, 1, 'submit').kind).toBe('stop');
  });

  it('tries nothing again that others have overtaken', () => {
    for (const error of [away, invalid, new TypeError('x')]) {
      expect(onFailure(error, 1, 'submit')).toEqual({ kind: 'setAside', reason: reasonOf(error) });
    }
  });
});

describe('reasonOf', () => {
  it('gives code, detail and facts', () => {
    expect(reasonOf(invalid)).toEqual({
      code: 'invalid_request',
      detail: invalid.message,
      facts: { problems: ['/data/queue is missing.'] },
    });
    expect(reasonOf(new RangeError('too far'))).toEqual({
      code: 'range_error',
      detail: 'too far',
      facts: {},
    });
    expect(reasonOf('a text')).toEqual({ code: 'unknown', detail: 'a text', facts: {} });
  });
});
