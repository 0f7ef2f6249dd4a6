import { ensureStreams } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { readEdgeConfig } from './config.ts';
import { EdgeModule } from './edge.module.ts';
import { serverOptions } from './http/serve.ts';

const { development } = readEdgeConfig();

await bootstrap(EdgeModule, {
  service: 'edge',
  fastify: serverOptions,
  onConnected: (connection, { region }) => ensureStreams(connection, region, { development }),
});
