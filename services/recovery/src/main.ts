import { ensureStreams, keepMirrors } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { RecoveryModule } from './recovery.module.ts';

await bootstrap(RecoveryModule, {
  service: 'recovery',
  async onConnected(connection, { region, regions }) {
    const options = { development: process.env['MERIDIAN_DEV'] === '1' };
    await ensureStreams(connection, region, options);
    if (regions.length > 1) await keepMirrors(connection, region, regions, options);
  },
});
