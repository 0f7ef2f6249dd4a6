import { ensureStreams } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { RoutingModule } from './routing.module.ts';

await bootstrap(RoutingModule, {
  service: 'routing',
  onConnected: (connection, { region }) =>
    ensureStreams(connection, region, { development: process.env['MERIDIAN_DEV'] === '1' }),
});
