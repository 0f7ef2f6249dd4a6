import { describe, expect, it } from '@jest/globals';
import { memoryLog } from './memory-log.ts';
import { readRequest } from './read-request.ts';
import type { LogMessage } from './log.ts';

async function stored(data: object): Promise<LogMessage> {
  const log = memoryLog();
  const event = {
    specversion: '1.0',
    id: '1',
    source: '/crm',
    type: 'meridian.contact.initiate.v1',
    subject: 'c1',
    data: { method: 'INBOUND', channel: 'VOICE', ...data },
  };
  const subject = 'in.eu.demo.eu.contact.c1';
  const { sequence } = await log.append('IN_eu', { subject, data: JSON.stringify(event) });
  return (await log.get('IN_eu', sequence)) as LogMessage;
}

describe('a request that was written past the edge', () => {
  const sealed = `sealed:1:${'0f'.repeat(16)}:${'A'.repeat(38)}`;

  it('is taken with sealed personal texts', async () => {
    const message = await stored({ customer: sealed, personalAttributes: { a: sealed } });
    expect(readRequest(message).event.data).toMatchObject({ customer: sealed });
  });

  it('is no request with personal texts in the clear, which the reason does not repeat', async () => {
    const message = await stored({ customer: 'Anna Berg', personalAttributes: { city: 'Bonn' } });
    const detail =
      'Message 1 of IN_eu is no request that can be decided: /data/customer, ' +
      '/data/personalAttributes/city are personal and in the clear: only an edge seals what it ' +
      'takes in; publish it there.';
    expect(() => readRequest(message)).toThrow(
      expect.objectContaining({ name: 'InvalidRequest', retryable: false, message: detail }),
    );
  });
});
