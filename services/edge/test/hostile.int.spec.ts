import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seeded } from '@meridian/core';
import type { Log } from '@meridian/journal';
import { initiate, post } from './edge-under-test.ts';
import { Hostility } from './hostile.ts';
import { startNestEdge, type NestEdge } from './nest-edge.ts';
import { exchange, type RawReply, type RawRequest } from './raw-http.ts';

const requests = 10_000;
const atOnce = 16;
const seed = process.env['HOSTILE_SEED'] ?? `${Date.now()}`;

describe('hostile input', () => {
  let edge: NestEdge;
  let log: Log;
  let token: string;
  let readToken: string;
  let revokedToken: string;

  const makeKey = async (scopes: string[]): Promise<{ id: string; token: string }> => {
    const { body } = await post(
      edge.url,
      edge.token,
      JSON.stringify({ scopes }),
      { 'content-type': 'application/json' },
      '/v1/keys',
    );
    return body;
  };

  beforeAll(async () => {
    edge = await startNestEdge();
    log = edge.log as Log;
    ({ token } = { token: edge.token });
    readToken = (await makeKey(['read'])).token;
    const revoked = await makeKey(['admin']);
    await fetch(`${edge.url}/v1/keys/${revoked.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${token}` },
    });
    revokedToken = revoked.token;
    expect((await post(edge.url, token, initiate('first'))).status).toBe(202);
  });
  afterAll(() => edge.close());

  function complaint(request: RawRequest, reply: RawReply): string | undefined {
    const sent = request.bytes.toString('latin1').slice(0, 600);
    const where = `${request.what} -> ${reply.status} ${reply.body.slice(0, 300)}\n${sent}`;
    if (reply.status < 400 || reply.status > 499) return `no refusal: ${where}`;
    if (reply.headers.get('content-type') !== 'application/problem+json; charset=utf-8') {
      return `no problem document: ${where}`;
    }
    const problem = JSON.parse(reply.body) as Record<string, unknown>;
    const told =
      typeof problem['type'] === 'string' &&
      problem['type'].startsWith('urn:meridian:problem:') &&
      problem['status'] === reply.status &&
      typeof problem['title'] === 'string' &&
      typeof problem['detail'] === 'string' &&
      problem['detail'].length > 10;
    if (!told) return `no reason: ${where}`;
    if (reply.status === 401 && !reply.headers.has('www-authenticate')) {
      return `no challenge: ${where}`;
    }
    return undefined;
  }

  it(`refuses ${requests} requests, each with its reason, and stores none (seed ${seed})`, async () => {
    const hostility = new Hostility(seeded(seed), { token, readToken, revokedToken });
    const port = Number(new URL(edge.url).port);
    const before = await log.lastSequence('IN_eu');
    const complaints: string[] = [];
    const statuses = new Map<number, number>();
    let left = requests;
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (left > 0 && complaints.length < 5) {
          left -= 1;
          const request = hostility.next();
          try {
            const reply = await exchange(port, request);
            statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
            const wrong = complaint(request, reply);
            if (wrong !== undefined) complaints.push(wrong);
          } catch (error) {
            complaints.push(`${String(error)}\n${request.bytes.toString('latin1').slice(0, 300)}`);
          }
        }
      }),
    );
    if (complaints.length > 0) {
      throw new Error(
        `HOSTILE_SEED=${seed}: ${complaints.length} answers are wrong:\n${complaints.join('\n---\n')}`,
      );
    }
    expect([...statuses.keys()]).toEqual(
      expect.arrayContaining([400, 401, 403, 404, 405, 413, 415, 431]),
    );
    expect(await log.lastSequence('IN_eu')).toBe(before);
    expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();
    const ready = await fetch(`${edge.url}/health/ready`);
    expect([ready.status, ((await ready.json()) as { ok: boolean }).ok]).toEqual([200, true]);
    expect((await post(edge.url, token, initiate('last'))).status).toBe(202);
  }, 300_000);
});
