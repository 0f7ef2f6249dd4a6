import { AuditModule } from '@meridian/audit';
import { EdgeModule, edgeServerOptions } from '@meridian/edge';
import { ensureStreams, keepMirrors } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { RecoveryModule } from '@meridian/recovery';
import { RoutingModule } from '@meridian/routing';
import { SessionsModule } from '@meridian/sessions';
import { Module } from '@nestjs/common';

/** The services of one region in one process. */
@Module({ imports: [EdgeModule, SessionsModule, RoutingModule, RecoveryModule, AuditModule] })
class DevelopmentRegionModule {}

await bootstrap(DevelopmentRegionModule, {
  service: 'region',
  fastify: edgeServerOptions,
  async onConnected(connection, { region, regions }) {
    const development = { development: true };
    await ensureStreams(connection, region, development);
    if (regions.length > 1) await keepMirrors(connection, region, regions, development);
  },
});
