import { ensureStreams } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { SessionsModule } from './sessions.module.ts';

await bootstrap(SessionsModule, {
  service: 'sessions',
  onConnected: (connection, { region }) =>
    ensureStreams(connection, region, { development: process.env['MERIDIAN_DEV'] === '1' }),
});
