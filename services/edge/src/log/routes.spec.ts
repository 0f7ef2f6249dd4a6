import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { memoryLog } from '@meridian/journal';
import type { Call } from '../http/route.ts';
import { logRoutes } from './routes.ts';

/** The answer to a request, as it is written. */
class Answer extends EventEmitter {
  text = '';
  readonly writableEnded = false;
  readonly destroyed = false;
  readonly writableNeedDrain = false;
  readonly writableLength = 0;

  writeHead(): void {}
  destroy(): void {}
  end(): void {
    this.emit('close');
  }
  write(text: string): boolean {
    this.text += text;
    return true;
  }
}

describe('the log of a mesh with several tenants', () => {
  it.each([
    ['demo', ['demo', 'meridian']],
    ['acme', ['acme', 'meridian']],
    ['meridian', ['demo', 'acme', 'meridian']],
  ])('shows a key of %s what is of %s', async (tenant, seen) => {
    const log = memoryLog();
    for (const owner of ['demo', 'acme', 'meridian']) {
      await log.append('EV_eu', { subject: `ev.eu.eu.${owner}.contact.c1`, data: '[]' });
      await log.append('IN_eu', { subject: `in.eu.${owner}.eu.contact.c1`, data: '{}' });
    }
    const { routes } = logRoutes(log, 'eu', (error) => {
      throw error;
    });
    for (const stream of ['EV_eu', 'IN_eu']) {
      const answer = new Answer();
      const call = {
        key: { tenant },
        parameters: { stream },
        query: { one: () => undefined },
        reply: { raw: answer, hijack: () => {} },
      };
      await routes[0]!.handle(call as unknown as Call);
      const lines = answer.text.trimEnd().split('\n');
      const subjects = lines.map((line) => (JSON.parse(line) as { subject: string }).subject);
      const at = stream === 'EV_eu' ? 3 : 2;
      expect(subjects.map((subject) => subject.split('.')[at])).toEqual(seen);
    }
  });
});
