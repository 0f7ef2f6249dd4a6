import { ensureStreams } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { RecoveryModule } from './recovery.module.ts';

await bootstrap(RecoveryModule, {
  service: 'recovery',
  onConnected: (connection, { region }) =>
    ensureStreams(connection, region, { development: process.env['MERIDIAN_DEV'] === '1' }),
});
