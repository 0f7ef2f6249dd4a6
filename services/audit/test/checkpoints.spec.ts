import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { readEntry } from '@meridian/journal';
import {
  isSignedBy,
  parseCheckpoint,
  parseNote,
  Frontier,
  messageLeaf,
  type Checkpoint,
} from '@meridian/proof';
import { eventually } from '@meridian/testing';
import type { ChainEvent } from '@meridian/wire';
import { isOfAudit } from '../src/chain/fold.ts';
import { altered, AuditBed } from './audit-bed.ts';

let bed: AuditBed;
afterEach(() => bed.close());

async function entries(subject: string): Promise<ChainEvent[]> {
  const stream = `EV_${subject.split('.')[1]}`;
  const messages = await bed.log.load(stream, subject);
  return messages.flatMap((message) => readEntry(message).events) as unknown as ChainEvent[];
}

const signed = async (): Promise<
  Extract<ChainEvent, { type: 'meridian.chain.checkpoint_signed.v1' }>['data'][]
> =>
  (await entries('ev.eu.eu.meridian.chain.all')).flatMap((event) =>
    event.type === 'meridian.chain.checkpoint_signed.v1' ? [event.data] : [],
  );

describe('Checkpoints', () => {
  it('are signed over what is ordered, and over nothing but the audit itself never', async () => {
    bed = new AuditBed();
    const { ordered } = await bed.open('eu');
    for (let call = 0; call < 20; call += 1) await bed.call('eu', `c${call}`);
    await eventually('a checkpoint', async () => (await signed()).length > 0);
    await eventually('one over all calls', async () => {
      const rank = ordered.rankOf('EV_eu', 20);
      return rank !== undefined && (await signed()).some(({ size }) => size > rank);
    });
    const count = (await signed()).length;
    const last = (await signed()).at(-1)!;
    const note = parseNote(last.note)!;
    expect(isSignedBy(note, 'meridian/eu', last.publicKey)).toBe(true);
    const checkpoint = parseCheckpoint(note.text) as Checkpoint;
    expect(checkpoint.origin).toBe('meridian/eu');
    expect(checkpoint.size).toBe(last.size);
    // From the log alone: the keys are in the order's first entry.
    const frontier = new Frontier();
    const [order] = (await bed.log.load('EV_eu', 'ev.eu.eu.meridian.order.all')).flatMap(
      (message) => readEntry(message).events,
    );
    const { keys } = order!.data as { keys: { stream: string; key: string }[] };
    for (const { message } of await ordered.read({
      from: 0,
      direction: 'forwards',
      limit: last.size,
    })) {
      const { key } = keys.find(({ stream }) => stream === message.stream)!;
      frontier.append(messageLeaf(Buffer.from(key, 'base64url'), message));
    }
    expect(Buffer.from(frontier.root()).toString('base64url')).toBe(last.root);
    // Each covers something that the audit did not write itself.
    await bed.call('eu', 'last');
    await eventually('a further one', async () => (await signed()).length > count);
    const sizes = [0, ...(await signed()).map(({ size }) => size)];
    for (const [index, size] of sizes.slice(1).entries()) {
      const from = sizes[index]!;
      const read = await ordered.read({ from, direction: 'forwards', limit: size - from });
      expect(read.some(({ message }) => !isOfAudit(message.subject))).toBe(true);
    }
  });

  it('are the same after a restart, from what was kept', async () => {
    bed = new AuditBed();
    const folder = mkdtempSync(join(tmpdir(), 'meridian-audit-'));
    await bed.open('eu', { folder });
    await bed.call('eu', 'c1');
    await eventually('a checkpoint', async () => (await signed()).length > 0);
    await bed.close();
    await bed.call('eu', 'c2');
    await bed.open('eu', { folder });
    await eventually('a later one', async () => (await signed()).length > 1);
    const [first, second] = await signed();
    expect(second!.size).toBeGreaterThan(first!.size);
    expect(second!.publicKey).toBe(first!.publicKey);
    // A fresh one comes to the same.
    await bed.close();
    await bed.call('eu', 'c3');
    await bed.open('eu');
    await eventually('one of a fresh tree', async () => (await signed()).length > 2);
    expect(bed.errors).toEqual([]);
  });

  it('are cosigned by a region that holds the same', async () => {
    bed = new AuditBed(['eu', 'us']);
    await bed.open('eu');
    await bed.open('us');
    await bed.call('eu', 'c1');
    await bed.call('us', 'c2');
    await eventually('a cosignature', async () => {
      await bed.report();
      return (await entries('ev.us.us.meridian.chain.us')).length > 0;
    });
    const [event] = await entries('ev.us.us.meridian.chain.us');
    const { size, signature, publicKey, region } = event!.data as unknown as {
      size: number;
      signature: string;
      publicKey: string;
      region: string;
    };
    expect([event!.type, region]).toEqual(['meridian.chain.checkpoint_cosigned.v1', 'us']);
    const { note } = (await signed()).find((one) => one.size === size)!;
    const both = parseNote(note + signature)!;
    expect(both.signatures.map(({ name }) => name)).toEqual(['meridian/eu', 'meridian/us']);
    expect(isSignedBy(both, 'meridian/us', publicKey)).toBe(true);
    expect(bed.errors).toEqual([]);
  });

  it('are disputed, loudly and once, by a region whose copy is another', async () => {
    bed = new AuditBed(['eu', 'us']);
    await bed.open('eu');
    await bed.open('us', { log: altered(bed.log, 'EV_eu', 1) });
    await bed.call('eu', 'c1');
    await eventually('a dispute', async () => {
      await bed.report();
      return (await entries('ev.us.us.meridian.chain.us')).length > 0;
    });
    const [event] = await entries('ev.us.us.meridian.chain.us');
    expect(event!.type).toBe('meridian.chain.checkpoint_disputed.v1');
    expect(event!.data).toMatchObject({ region: 'us', agreedSize: 0 });
    const { signedRoot, foundRoot } = event!.data as unknown as Record<string, string>;
    expect(signedRoot).not.toBe(foundRoot);
    expect(bed.errors).toEqual([
      expect.stringMatching(/^us: What eu signed of the log is not what is held in us/),
    ]);
  });
});
