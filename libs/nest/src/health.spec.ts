import { describe, expect, it } from '@jest/globals';
import { liveness, readiness } from './health.ts';
import type { ServiceStatus } from './service-runtime.ts';

const status = (state: ServiceStatus['state'], detail?: string): ServiceStatus => ({
  service: 'routing',
  state,
  lag: {},
  ...(detail === undefined ? {} : { detail }),
});

describe('health', () => {
  it('is well when everything is open and connected', () => {
    expect(readiness('connected', [status('open')])).toMatchObject({ ok: true, reasons: [] });
    expect(readiness('none', [])).toMatchObject({ ok: true });
  });

  it('is alive but not ready while something passing is amiss', () => {
    const services = [status('opening', 'waits for the stream EV_eu')];
    expect(liveness('away', services)).toMatchObject({ ok: true, reasons: [] });
    expect(readiness('away', services)).toMatchObject({
      ok: false,
      reasons: [
        'the connection to NATS is away',
        'routing is opening: it waits for the stream EV_eu',
      ],
    });
  });

  it('is neither when a service has stopped or the connection is closed for good', () => {
    const reasons = [
      'routing has stopped: stream_missing: gone',
      'the connection to NATS is closed for good',
    ];
    const services = [status('stopped', 'stream_missing: gone')];
    expect(liveness('closed', services)).toMatchObject({ ok: false, reasons });
    expect(readiness('closed', services)).toMatchObject({ ok: false, reasons });
  });
});
