import { describe, expect, it } from '@jest/globals';
import { Fingerprints } from './fingerprints.ts';

describe('Fingerprints', () => {
  it('holds what a map holds, through many growths', () => {
    const table = new Fingerprints();
    const map = new Map<string, number>();
    for (let index = 0; index < 50_000; index++) {
      const text = `ev.eu.eu.demo.contact.c${index % 40_000}`;
      table.set(text, index);
      map.set(text, index);
    }
    expect(table.size).toBe(map.size);
    for (const [text, value] of map) {
      if (table.get(text) !== value) throw new Error(`${text}: ${table.get(text)}, not ${value}`);
    }
    expect(table.get('ev.eu.eu.demo.contact.c40000')).toBeUndefined();
    expect(table.has('')).toBe(false);
  });
});
