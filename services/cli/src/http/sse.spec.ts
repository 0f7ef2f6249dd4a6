import { describe, expect, it } from '@jest/globals';
import { SseParser, type ServerSentEvent } from './sse.ts';

const text =
  '\uFEFF: hello\n\nid: EV_eu:1.0\nevent: a\ndata: {"x":1}\n\r\nid\r\ndata:one\r\ndata: two\r\n\r\n' +
  'retry: 1500\nid: EV_eu:2.0\n\ndata\n\nevent: nothing\n\ndata: last\r\rdata: not ended';
const expected: ServerSentEvent[] = [
  { event: 'a', data: '{"x":1}', id: 'EV_eu:1.0' },
  { event: 'message', data: 'one\ntwo', id: '' },
  { event: 'message', data: '', id: 'EV_eu:2.0' },
  { event: 'message', data: 'last', id: 'EV_eu:2.0' },
];

describe('SseParser', () => {
  it('reads events as the standard says, however the text is cut', () => {
    for (let size = 1; size <= text.length; size++) {
      const parser = new SseParser();
      const events: ServerSentEvent[] = [];
      for (let from = 0; from < text.length; from += size) {
        events.push(...parser.push(text.slice(from, from + size)));
      }
      expect({ size, events }).toEqual({ size, events: expected });
      expect(parser.retryMs).toBe(1500);
      expect(parser.lastEventId).toBe('EV_eu:2.0');
    }
  });

  it('goes on from the last event id, and takes no id with a null character', () => {
    const parser = new SseParser('EV_eu:9.1');
    expect(parser.push('id: a\0b\ndata: x\n\n')).toEqual([
      { event: 'message', data: 'x', id: 'EV_eu:9.1' },
    ]);
  });
});
