import { EdgeModule, edgeServerOptions } from '@meridian/edge';
import { ensureStreams } from '@meridian/journal';
import { bootstrap } from '@meridian/nest';
import { RoutingModule } from '@meridian/routing';
import { SessionsModule } from '@meridian/sessions';
import { Module } from '@nestjs/common';

/** The services of one region in one process. */
@Module({ imports: [EdgeModule, SessionsModule, RoutingModule] })
class DevelopmentRegionModule {}

await bootstrap(DevelopmentRegionModule, {
  service: 'region',
  fastify: edgeServerOptions,
  onConnected: (connection, { region }) => ensureStreams(connection, region, { development: true }),
});
