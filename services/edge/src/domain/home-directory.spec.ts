import { describe, expect, it } from '@jest/globals';
import { HomeDirectory, mayBeSeen } from './home-directory.ts';
import { homeOf } from './home-of.ts';

const seen = (type: string, subject: string, tenant = 'demo') => ({
  type: `meridian.${type}.v1`,
  tenant,
  subject,
});

describe('the directory of homes', () => {
  it('knows contacts and reservations from their beginning on, also once they have ended', () => {
    const directory = new HomeDirectory();
    directory.observe('us', seen('contact.initiated', 'c1'));
    directory.observe('ap', seen('reservation.created', 'c1-r1'));
    directory.observe('us', seen('contact.queued', 'c2'));
    expect(directory.find('demo', 'contact', 'c1')).toBe('us');
    expect(directory.find('demo', 'reservation', 'c1-r1')).toBe('ap');
    expect(directory.find('demo', 'contact', 'c2')).toBeUndefined();
    expect(directory.find('other', 'contact', 'c1')).toBeUndefined();
    expect(directory.find('demo', 'agent', 'c1')).toBeUndefined();
    directory.observe('us', seen('contact.completed', 'c1'));
    directory.observe('ap', seen('reservation.timed_out', 'c1-r1'));
    expect([directory.live, directory.ended]).toEqual([0, 2]);
    expect(directory.find('demo', 'contact', 'c1')).toBe('us');
    expect(directory.find('demo', 'reservation', 'c1-r1')).toBe('ap');
  });

  it('knows agents while they are signed in', () => {
    const directory = new HomeDirectory();
    directory.observe('us', seen('agent.signed_in', 'ada'));
    directory.observe('us', seen('agent.state_changed', 'ada'));
    expect(directory.find('demo', 'agent', 'ada')).toBe('us');
    directory.observe('ap', seen('agent.signed_in', 'ada'));
    directory.observe('us', seen('agent.signed_out', 'ada'));
    expect(directory.find('demo', 'agent', 'ada')).toBe('ap');
    directory.observe('ap', seen('agent.signed_out', 'ada'));
    expect(directory.find('demo', 'agent', 'ada')).toBeUndefined();
  });

  it('keeps so much and no more, the oldest going first', () => {
    const directory = new HomeDirectory({ live: 2, ended: 1 });
    for (const id of ['c1', 'c2', 'c3']) directory.observe('us', seen('contact.initiated', id));
    expect([directory.live, directory.dropped]).toEqual([2, 1]);
    expect(directory.find('demo', 'contact', 'c1')).toBeUndefined();
    directory.observe('us', seen('contact.abandoned', 'c2'));
    directory.observe('us', seen('contact.orphan_reaped', 'c3'));
    expect([directory.live, directory.ended, directory.dropped]).toEqual([0, 1, 1]);
    expect(directory.find('demo', 'contact', 'c2')).toBeUndefined();
    expect(directory.find('demo', 'contact', 'c3')).toBe('us');
  });

  it('takes what it saw before without harm', () => {
    const directory = new HomeDirectory();
    for (let time = 0; time < 2; time += 1) {
      directory.observe('us', seen('contact.initiated', 'c1'));
      directory.observe('us', seen('contact.completed', 'c1'));
    }
    expect([directory.live, directory.ended]).toEqual([0, 1]);
  });

  it('tells from a text whether a look is worth it', () => {
    expect(mayBeSeen('[{"id":"1","type":"meridian.contact.initiated.v1","data":{}}]')).toBe(true);
    expect(mayBeSeen('[{"type":"x"},\n{"type":"meridian.reservation.completed.v1"}]')).toBe(true);
    expect(mayBeSeen('[{"type":"meridian.contact.queued.v1"}]')).toBe(false);
    expect(mayBeSeen('[{"type":"meridian.contact.initiated.v12"}]')).toBe(false);
    expect(mayBeSeen('[{"type":"meridianXcontact.initiated.v1"}]')).toBe(false);
  });
});

describe('the home of a request', () => {
  const directory = new HomeDirectory();
  directory.observe('us', seen('contact.initiated', 'c1'));
  directory.observe('ap', seen('agent.signed_in', 'ada'));
  const home = (type: string, entity: string, subject: string, region?: string): string =>
    homeOf(
      { ...seen(type, subject), ...(region === undefined ? {} : { region }) },
      entity,
      'eu',
      directory,
    );

  it.each([
    ['what begins belongs to the region it enters', 'contact.initiate', 'contact', 'c9', 'eu'],
    ['what lives elsewhere stays there', 'contact.initiate', 'contact', 'c1', 'us'],
    ['an agent signed in elsewhere stays there', 'agent.sign_in', 'agent', 'ada', 'ap'],
    ['an agent who is not signs in here', 'agent.sign_in', 'agent', 'bob', 'eu'],
    ['a request goes where its subject lives', 'contact.hang_up', 'contact', 'c1', 'us'],
    ['nobody knows: here', 'contact.hang_up', 'contact', 'c9', 'eu'],
    ['queues are the same everywhere', 'queue.configure', 'queue', 'c1', 'eu'],
  ])('%s', (_what, type, entity, subject, expected) => {
    expect(home(type, entity, subject)).toBe(expected);
  });

  it('is what the request says, unless it lives elsewhere already or is about a queue', () => {
    expect(home('contact.hang_up', 'contact', 'c1', 'ap')).toBe('ap');
    expect(home('contact.hang_up', 'contact', 'c9', 'us')).toBe('us');
    expect(home('contact.initiate', 'contact', 'c9', 'us')).toBe('us');
    expect(home('contact.initiate', 'contact', 'c1', 'eu')).toBe('us');
    expect(home('agent.sign_in', 'agent', 'bob', 'us')).toBe('us');
    expect(home('queue.configure', 'queue', 'support', 'us')).toBe('eu');
  });
});
