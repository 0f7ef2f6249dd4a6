import { credentials, makeClientConstructor, status, type ServiceError } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@meridian/testing';
import { streamsService } from '../../src/eventstore/protocol/services.ts';
import { Stage } from './stage.ts';

interface Call {
  on(event: 'data', listener: (answer: object) => void): this;
  on(event: 'error', listener: (error: ServiceError) => void): this;
  pause(): void;
  resume(): void;
}

const Client = makeClientConstructor(streamsService, 'Streams');
const everything = {
  options: { all: { start: {} }, count: '100000', noFilter: {}, uuidOption: { structured: {} } },
};

describe('the limits of the gateway', () => {
  const stages: { close(): void }[] = [];
  afterEach(() => {
    for (const stage of stages.splice(0)) stage.close();
  });

  /** A gateway over many events, and a way to read them all. */
  async function scene(limits: { reads?: number; stallMs?: number }) {
    const stage = new Stage();
    for (let n = 0; n < 4_000; n += 1) {
      await stage.decide(`c${n}`, ['meridian.contact.initiated.v1']);
    }
    stage.order.extend();
    const gateway = await stage.open('demo', { limits });
    const client = new Client(`127.0.0.1:${gateway.port}`, credentials.createInsecure());
    stages.push({
      close() {
        client.close();
        void gateway.close();
      },
    });
    const read = () => {
      const call = client['read']!(everything) as unknown as Call;
      const seen: object[] = [];
      const errors: ServiceError[] = [];
      call.on('error', (error) => errors.push(error)).on('data', (answer) => seen.push(answer));
      return { call, seen, errors };
    };
    return { gateway, read };
  }

  it('end a read of which nothing is taken, and let others go on', async () => {
    const { gateway, read } = await scene({ stallMs: 200 });
    const idle = read();
    idle.call.pause();
    await eventually('the read', () => gateway.underWay.reads === 1);
    const other = read();
    await eventually('all events', () => other.seen.length === 4_000, { timeoutMs: 50_000 });
    await eventually('its end', () => gateway.underWay.reads === 0, { timeoutMs: 50_000 });
    expect(other.errors).toEqual([]);
    idle.call.resume();
    await eventually('its status', () => idle.errors.length === 1, { timeoutMs: 50_000 });
    expect(idle.errors[0]?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(idle.seen.length).toBeLessThan(4_000);
  });

  it('refuse a read too many', async () => {
    const { gateway, read } = await scene({ reads: 1, stallMs: 60_000 });
    const first = read();
    first.call.pause();
    await eventually('the read', () => gateway.underWay.reads === 1);
    const second = read();
    await eventually('its refusal', () => second.errors.length === 1, { timeoutMs: 50_000 });
    expect(second.errors[0]).toMatchObject({ code: status.UNAVAILABLE });
    first.call.resume();
    await eventually('all events', () => first.seen.length === 4_000, { timeoutMs: 50_000 });
  });
});
