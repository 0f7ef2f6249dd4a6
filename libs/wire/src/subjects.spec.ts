import { expect, test } from '@jest/globals';
import {
  asideStream,
  eventStream,
  eventSubject,
  intakeStream,
  intakeSubject,
  parseSubject,
} from './subjects.ts';

const aggregate = { tenant: 'demo', entity: 'contact', id: 'c1' };

test('streams are named by region', () => {
  expect([intakeStream('eu'), eventStream('eu'), asideStream('eu')]).toEqual([
    'IN_eu',
    'EV_eu',
    'ASIDE_eu',
  ]);
});

test('subjects are written and read: the tenant comes first in the intake, the home in the log', () => {
  expect(intakeSubject('eu', 'us', aggregate)).toBe('in.eu.demo.us.contact.c1');
  expect(eventSubject('eu', 'us', aggregate)).toBe('ev.eu.us.demo.contact.c1');
  const address = { region: 'eu', home: 'us', ...aggregate };
  expect(parseSubject('in.eu.demo.us.contact.c1')).toStrictEqual({ kind: 'in', ...address });
  expect(parseSubject('ev.eu.us.demo.contact.c1')).toStrictEqual({ kind: 'ev', ...address });
});

test.each([
  '',
  'in',
  'ev.eu.us.demo.contact',
  'ev.eu.us.demo.contact.c1.more',
  'aside.eu.us.demo.contact.c1',
  'EV.eu.us.demo.contact.c1',
  'xev.eu.us.demo.contact.c1',
  'ev.eu.us.demo..c1',
  'in.eu..us.contact.c1',
  'ev.eu.us.demo.contact.',
])('%j is neither', (subject) => {
  expect(parseSubject(subject)).toBeUndefined();
});
