import { afterEach } from '@jest/globals';
import { eventually, startMesh, type Mesh } from '@meridian/testing';
import type { NatsConnection } from '@nats-io/nats-core';
import { natsControl } from '../src/control/nats-control.ts';
import { describeControl } from './describe-control.ts';

let mesh: Mesh | undefined;
let connections: NatsConnection[] = [];

afterEach(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  connections = [];
  await mesh?.stop();
  mesh = undefined;
});

describeControl('NATS, three servers', async () => {
  const started = await startMesh({ control: true });
  mesh = started;
  const regions = [...started.regions.keys()];
  connections = await Promise.all([
    started.region('eu').connectControl(),
    started.region('us').connectControl(),
  ]);
  const [eu, us] = connections.map((connection) => natsControl({ connection, regions }));
  if (eu === undefined || us === undefined) throw new Error('There are two connections.');
  // The servers elect a leader first.
  await eventually('the cluster answers', () => eu.read());
  await eventually('another server knows the bucket', () => us.write('probe', '1'));
  return {
    clients: [eu, us],
    lose: async () => {
      await started.region('eu').control?.kill();
      await started.region('ap').control?.kill();
    },
  };
});
