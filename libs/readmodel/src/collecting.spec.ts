import { describe, expect, it } from '@jest/globals';
import { Collecting } from './collecting.ts';

/** Longer than any test may take: who waits for the end of it fails. */
const longMs = 3_600_000;

/** Sees that the next batch waits, and goes once the pause is ended. */
async function waitsForTheEnd(collecting: Collecting): Promise<void> {
  let isDue = false;
  const next = collecting.collected().then(() => {
    isDue = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDue).toBe(false);
  collecting.end();
  await next;
}

describe('Collecting', () => {
  it('lets the first batch go at once', async () => {
    await new Collecting(longMs).collected();
  });

  it('makes the next one wait, until the pause is ended', async () => {
    const collecting = new Collecting(longMs);
    await collecting.collected();
    await waitsForTheEnd(collecting);
  });

  it('makes nobody wait while somebody waits for what is to be written', async () => {
    const collecting = new Collecting(longMs);
    await collecting.collected();
    const waiting = collecting.collected();
    await collecting.hurry(async () => {
      await waiting;
      await collecting.collected();
    });
    await waitsForTheEnd(collecting);
  });

  it('tells what the waiting came to, a failure too', async () => {
    const collecting = new Collecting(longMs);
    await expect(collecting.hurry(() => Promise.resolve(7))).resolves.toBe(7);
    await expect(collecting.hurry(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });

  it('never waits without a period', async () => {
    const collecting = new Collecting(0);
    await collecting.collected();
    await collecting.collected();
  });
});
