import { describe, expect, it } from '@jest/globals';
import { linkSubjects } from './index.ts';

describe('what crosses a link', () => {
  it('is what durable mirrors, reading copies and reports need', () => {
    const { requests, reports, deliveries } = linkSubjects('eu', 'us', ['eu', 'us']);
    const copying = (stream: string, consumer: string): string[] =>
      ['CREATE', 'INFO', 'RESET', 'DELETE'].map(
        (verb) => `$JS.us.API.CONSUMER.${verb}.${stream}.${consumer}`,
      );
    const reading = (stream: string): string[] => [
      `$JS.us.API.STREAM.INFO.${stream}`,
      `$JS.us.API.DIRECT.GET.${stream}`,
      `$JS.us.API.DIRECT.GET.${stream}.>`,
    ];
    expect(requests).toEqual([
      // Its own streams too: a region that lost them gets them back from a copy.
      ...reading('IN_eu'),
      ...copying('IN_eu', 'relay_eu_us'),
      ...reading('EV_eu'),
      ...copying('EV_eu', 'relay_eu_us'),
      ...reading('IN_us'),
      ...copying('IN_us', 'mirror_eu'),
      ...reading('EV_us'),
      ...copying('EV_us', 'mirror_eu'),
      ...reading('KV_KEYS_eu'),
      ...copying('KV_KEYS_eu', 'relay_eu_us'),
      ...reading('KV_KEYS_us'),
      ...copying('KV_KEYS_us', 'mirror_eu'),
      // No more than the mirror itself asks: no other consumer, and no reading past it.
      '$JS.us.API.CONSUMER.INFO.VAULT_us.mirror_eu',
      '$JS.us.API.CONSUMER.RESET.VAULT_us.mirror_eu',
      'copies.us.chunks.eu',
    ]);
    expect(reports).toEqual([
      '$JS.FC.IN_eu.relay_eu_us.>',
      '$JS.FC.EV_eu.relay_eu_us.>',
      '$JS.FC.IN_us.mirror_eu.>',
      '$JS.FC.EV_us.mirror_eu.>',
      '$JS.FC.KV_KEYS_eu.relay_eu_us.>',
      '$JS.FC.KV_KEYS_us.mirror_eu.>',
      '$JS.FC.VAULT_us.mirror_eu.>',
      'beat.us.held.eu',
      'beat.us.copies.eu',
    ]);
    expect(deliveries).toEqual(['repl.eu.us.>']);
  });

  it("is told apart by the link's ends where a third region's streams are copied", () => {
    const regions = ['eu', 'us', 'ap'];
    const subjects = regions.flatMap((to) =>
      to === 'eu' ? [] : Object.values(linkSubjects('eu', to, regions)).flat(),
    );
    expect(new Set(subjects).size).toBe(subjects.length);
    expect(subjects).toContain('$JS.FC.EV_us.relay_eu_ap.>');
    expect(
      subjects.filter((subject) => /STREAM\.(DELETE|PURGE|CREATE|UPDATE)/.test(subject)),
    ).toEqual([]);
  });
});
