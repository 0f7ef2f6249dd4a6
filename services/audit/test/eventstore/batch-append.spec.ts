import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { batchAppend } from '../../src/eventstore/calls/append.ts';
import { AppendBudget } from '../../src/eventstore/calls/proposed.ts';
import type { Sink } from '../../src/eventstore/calls/sink.ts';
import type { BatchAppendReq, BatchAppendResp } from '../../src/eventstore/protocol/messages.ts';
import type { CustomStreams } from '../../src/eventstore/writing/custom-streams.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const caller = { id: 'k1', tenant: 'demo', scopes: ['publish' as const] };
const uuidOf = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

function requestOf(number: number, more: Partial<BatchAppendReq> = {}): BatchAppendReq {
  return {
    correlationId: { string: uuidOf(number) },
    options: { streamIdentifier: { streamName: Buffer.from('custom-a') }, any: {} },
    proposedMessages: [
      { id: { string: uuidOf(number) }, metadata: { type: 'noted' }, data: Buffer.from('x') },
    ],
    isFinal: true,
    ...more,
  };
}

/** Runs one call over streams that do what `append` says. */
async function call(
  requests: AsyncIterable<BatchAppendReq>,
  append: () => Promise<unknown>,
  budget = new AppendBudget(),
): Promise<BatchAppendResp[]> {
  const answers: BatchAppendResp[] = [];
  const sink = { write: async (answer: BatchAppendResp) => void answers.push(answer) };
  const streams = { append } as unknown as CustomStreams;
  const parts = { streams, regions: ['eu'], budget };
  await batchAppend(parts, requests, caller, sink as unknown as Sink<BatchAppendResp>);
  return answers;
}

describe('BatchAppend', () => {
  it('keeps nothing of what it has answered, however long the call lasts', async () => {
    const given: WeakRef<BatchAppendReq>[] = [];
    let kept = Infinity;
    async function* requests(): AsyncGenerator<BatchAppendReq> {
      for (let number = 0; number < 100; number += 1) {
        const request = requestOf(number);
        given.push(new WeakRef(request));
        yield request;
        await turn();
      }
      collectGarbage();
      await turn();
      collectGarbage();
      kept = given.filter((one) => one.deref() !== undefined).length;
    }
    const answers = await call(requests(), async () => ({ revision: 0, position: 0 }));
    expect(answers).toHaveLength(100);
    expect(kept).toBeLessThan(10);
  });

  it('takes a bounded number of bytes of appends that are not whole', async () => {
    const data = Buffer.alloc(3_500_000);
    let taken = 0;
    async function* requests(): AsyncGenerator<BatchAppendReq> {
      for (let number = 0; number < 10; number += 1) {
        taken += 1;
        yield requestOf(number, { proposedMessages: [{ data }], isFinal: false });
      }
    }
    const refused = call(requests(), async () => ({ revision: 0 }));
    await expect(refused).rejects.toThrow('not whole yet have more than 8388608 bytes');
    expect(taken).toBe(3);
  });

  it('shares what may be in memory with all other calls, and gives it back', async () => {
    const budget = new AppendBudget(6_000_000);
    const proposedMessages = [
      { id: { string: uuidOf(1) }, metadata: { type: 'noted' }, data: Buffer.alloc(3_500_000) },
    ];
    const gate = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<BatchAppendReq> {
      yield requestOf(1, { proposedMessages, isFinal: false });
      await gate.promise;
    }
    async function* whole(): AsyncGenerator<BatchAppendReq> {
      yield requestOf(2, { proposedMessages });
    }
    const stored = async () => ({ revision: 0, position: 0 });
    const first = call(endless(), stored, budget);
    await turn();
    await expect(call(whole(), stored, budget)).rejects.toThrow('as many as this gateway takes');
    gate.resolve();
    await first;
    for (let again = 0; again < 3; again += 1) {
      expect(await call(whole(), stored, budget)).toMatchObject([{ success: {} }]);
    }
  });

  it('ends with what concerns the whole call, while it waits for more', async () => {
    async function* requests(): AsyncGenerator<BatchAppendReq> {
      yield requestOf(1);
      await new Promise(() => {});
    }
    const failed = call(requests(), () => Promise.reject(new Error('no lease')));
    await expect(failed).rejects.toThrow('no lease');
  });
});
