import { describe, expect, it } from '@jest/globals';
import { ConfigInvalid, readConfig } from './config.ts';

describe('readConfig', () => {
  it('has defaults for development, and takes empty variables as unset', () => {
    const defaults = {
      region: 'eu',
      natsUrl: 'nats://127.0.0.1:4222',
      clock: 'system',
      httpHost: '127.0.0.1',
      httpPort: 8080,
      epoch: 1,
      logLevel: 'info',
    };
    expect(readConfig({})).toEqual(defaults);
    expect(readConfig({ MERIDIAN_REGION: '', LOG_LEVEL: '', OTHER: 'x' })).toEqual(defaults);
  });

  it('reads every variable', () => {
    expect(
      readConfig({
        MERIDIAN_REGION: 'us',
        MERIDIAN_NATS_URL: 'nats://10.0.0.1:4222,tls://b:4222',
        MERIDIAN_NATS_USER: 'ada',
        MERIDIAN_NATS_PASSWORD: 'secret',
        MERIDIAN_CLOCK: 'driven',
        MERIDIAN_HTTP_HOST: '0.0.0.0',
        MERIDIAN_HTTP_PORT: '0',
        MERIDIAN_EPOCH: '7',
        LOG_LEVEL: 'debug',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      }),
    ).toEqual({
      region: 'us',
      natsUrl: 'nats://10.0.0.1:4222,tls://b:4222',
      natsUser: 'ada',
      natsPassword: 'secret',
      clock: 'driven',
      httpHost: '0.0.0.0',
      httpPort: 0,
      epoch: 7,
      logLevel: 'debug',
      otlpEndpoint: 'http://127.0.0.1:4318',
    });
  });

  it('names every wrong variable at once, with its value and what is expected, but no secret', () => {
    const read = () =>
      readConfig({
        MERIDIAN_REGION: 'EU west',
        MERIDIAN_NATS_URL: 'http://x',
        MERIDIAN_NATS_PASSWORD: 'hunter2',
        MERIDIAN_CLOCK: 'fast',
        MERIDIAN_HTTP_PORT: '70000',
        MERIDIAN_EPOCH: '0',
        LOG_LEVEL: 'loud',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'collector',
      });
    expect(read).toThrow(ConfigInvalid);
    expect(read).toThrow(`The environment is not a configuration Meridian can start with:
  MERIDIAN_NATS_USER is unset; expected a user name, because there is a password
  OTEL_EXPORTER_OTLP_ENDPOINT is "collector"; expected a URL such as http://127.0.0.1:4318
  MERIDIAN_REGION is "EU west"; expected a region such as eu: 1 to 16 of a-z 0-9
  MERIDIAN_NATS_URL is "http://x"; expected one or more URLs such as nats://127.0.0.1:4222, with commas between them
  MERIDIAN_CLOCK is "fast"; expected system or driven
  MERIDIAN_HTTP_PORT is "70000"; expected a port from 0 (any free one) to 65535
  MERIDIAN_EPOCH is "0"; expected a whole number from 1 on
  LOG_LEVEL is "loud"; expected one of trace, debug, info, warn, error, fatal, silent
Correct these variables, or unset them for their defaults, and start again.`);
    expect(read).not.toThrow(/hunter2/);
  });
});
