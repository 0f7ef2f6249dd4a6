import { expect } from '@jest/globals';
import { contact, routing } from './drafts.ts';
import { LogBuilder, type EntryOptions } from './log-builder.ts';
import {
  LogCheck,
  type LogCheckOptions,
  type RawEntry,
  type RuleName,
} from '../src/check/index.ts';

export function check(entries: readonly RawEntry[], options: LogCheckOptions = {}) {
  const checking = new LogCheck(options);
  for (const entry of entries) checking.readLine(JSON.stringify(entry));
  return checking.finish();
}

/** The rules that were broken, each with where and what. */
export const found = (entries: readonly RawEntry[], options: LogCheckOptions = {}) =>
  check(entries, options).violations.map(({ rule, sequence, index, expected, found }) => ({
    rule,
    sequence,
    index,
    expected,
    found,
  }));

export const brokenRules = (entries: readonly RawEntry[]): RuleName[] =>
  [...new Set(check(entries).violations.map(({ rule }) => rule))].sort();

/** One queue, and agent a1 who takes one call at a time. */
export function opened(capacity = 1, presence = 'AVAILABLE'): LogBuilder {
  const log = new LogBuilder();
  log.add('routing.eu', 0, [routing.queue('q1'), routing.signedIn('a1', capacity, presence)]);
  return log;
}

/** c1 rings at a1 from second 2 to 22. Entries 1 to 5. */
export function ringing(log = opened()): LogBuilder {
  log.add('contact.c1', 0, contact.initiated('c1'));
  log.add('contact.c1', 2, contact.queued('c1'));
  log.add('routing.eu', 2, [
    routing.decided('c1', 'OFFERED', 'CONTACT_QUEUED', 2, { agentId: 'a1' }),
    routing.created('c1-r1', 'c1', 'a1', 22),
  ]);
  log.add('contact.c1', 2, contact.offered('c1', 'c1-r1', 'a1', 22));
  return log;
}

/** c1 is served by a1 and wraps up. Entries 1 to 9. */
export function talking(log = ringing()): LogBuilder {
  log.add('routing.eu', 5, [routing.changed('accepted', 'c1-r1', 'c1', 'a1')]);
  log.add('contact.c1', 5, contact.connected('c1', 'c1-r1', 'a1', 3));
  log.add('contact.c1', 15, contact.hungUp('c1', 'a1', 315));
  log.add('routing.eu', 15, [routing.changed('wrapping', 'c1-r1', 'c1', 'a1')]);
  return log;
}

export const spent = { IN_SYSTEM: 0, IVR: 2, QUEUED: 0, OFFERED: 3, CONNECTED: 10, WRAP_UP: 5 };

export function served(): LogBuilder {
  const log = talking();
  log.add('contact.c1', 20, contact.completed('c1', spent));
  log.add('routing.eu', 20, [routing.changed('completed', 'c1-r1', 'c1', 'a1')]);
  return log;
}

/** The same entry with its text changed. */
export const altered = (entry: RawEntry, from: string, to: string): RawEntry => {
  expect(entry.data).toContain(from);
  return { ...entry, data: entry.data.replace(from, to) };
};
export const tampered = (from: string, to: string): EntryOptions => ({
  tamper: (text) => text.replace(from, to),
});
