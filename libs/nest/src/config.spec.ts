import { describe, expect, it } from '@jest/globals';
import { ConfigInvalid, readConfig } from './config.ts';

describe('readConfig', () => {
  it('has defaults for development, and takes empty variables as unset', () => {
    const defaults = {
      region: 'eu',
      regions: ['eu'],
      natsUrl: 'nats://127.0.0.1:4222',
      clock: 'system',
      httpHost: '127.0.0.1',
      httpPort: 8080,
      epoch: 1,
      leaseMs: 5_000,
      onIsolation: 'fence',
      logLevel: 'info',
    };
    expect(readConfig({})).toEqual(defaults);
    expect(readConfig({ MERIDIAN_REGION: '', LOG_LEVEL: '', OTHER: 'x' })).toEqual(defaults);
  });

  it('reads every variable', () => {
    expect(
      readConfig({
        MERIDIAN_REGION: 'us',
        MERIDIAN_REGIONS: 'eu,us,ap',
        MERIDIAN_CONTROL_URL: 'tls://a:4222,tls://b:4222',
        MERIDIAN_CONTROL_SEED_FILE: '/keys/control',
        MERIDIAN_NATS_CA_FILE: '/keys/ca.pem',
        MERIDIAN_LEASE_MS: '3000',
        MERIDIAN_ON_ISOLATION: 'serve',
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
      regions: ['eu', 'us', 'ap'],
      controlUrl: 'tls://a:4222,tls://b:4222',
      controlSeedFile: '/keys/control',
      natsCaFile: '/keys/ca.pem',
      leaseMs: 3_000,
      onIsolation: 'serve',
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
        MERIDIAN_REGIONS: 'eu,eu',
        MERIDIAN_CONTROL_URL: 'nats://a,b',
        MERIDIAN_LEASE_MS: '10',
        MERIDIAN_ON_ISOLATION: 'panic',
        LOG_LEVEL: 'loud',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'collector',
      });
    expect(read).toThrow(ConfigInvalid);
    expect(read).toThrow(`The environment is not a configuration Meridian can start with:
  MERIDIAN_REGION is "EU west"; expected a region such as eu: 1 to 16 of a-z 0-9
  MERIDIAN_REGIONS is "eu,eu"; expected the different regions of the mesh with commas between them, such as eu,us,ap
  MERIDIAN_CONTROL_URL is "nats://a,b"; expected the URLs of all control servers, with commas between them
  OTEL_EXPORTER_OTLP_ENDPOINT is "collector"; expected a URL such as http://127.0.0.1:4318
  MERIDIAN_NATS_URL is "http://x"; expected one or more URLs such as nats://127.0.0.1:4222, with commas between them
  MERIDIAN_CLOCK is "fast"; expected system or driven
  MERIDIAN_HTTP_PORT is "70000"; expected a port from 0 (any free one) to 65535
  MERIDIAN_EPOCH is "0"; expected a whole number from 1 on
  MERIDIAN_LEASE_MS is "10"; expected milliseconds from 1500 to 600000
  MERIDIAN_ON_ISOLATION is "panic"; expected fence or serve
  LOG_LEVEL is "loud"; expected one of trace, debug, info, warn, error, fatal, silent
  MERIDIAN_NATS_USER is unset; expected a user name, because there is a password
Correct these variables, or unset them for their defaults, and start again.`);
    expect(read).not.toThrow(/hunter2/);
  });

  it('refuses what does not go together', () => {
    expect(() => readConfig({ MERIDIAN_REGION: 'us', MERIDIAN_REGIONS: 'eu,ap' })).toThrow(
      'MERIDIAN_REGIONS is "eu,ap"; expected regions with this one (us) among them',
    );
    expect(() =>
      readConfig({
        MERIDIAN_NATS_SEED_FILE: '/keys/services',
        MERIDIAN_NATS_USER: 'ada',
        MERIDIAN_NATS_PASSWORD: 'secret',
      }),
    ).toThrow('MERIDIAN_NATS_SEED_FILE is set; expected a seed, or user and password, not both');
    expect(readConfig({ MERIDIAN_NATS_SEED_FILE: '/keys/services' }).natsSeedFile).toBe(
      '/keys/services',
    );
  });
});
