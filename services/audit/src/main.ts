import { ensureStreams } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { AuditModule } from './audit.module.ts';

await bootstrap(AuditModule, {
  service: 'audit',
  onConnected: (connection, { region }) =>
    ensureStreams(connection, region, { development: process.env['MERIDIAN_DEV'] === '1' }),
});
