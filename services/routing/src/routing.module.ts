import { Module } from '@nestjs/common';
import { serviceModule } from '@meridian/nest';
import { RoutingHandlers } from './handlers.ts';

@Module({ imports: [serviceModule('routing')], controllers: [RoutingHandlers] })
export class RoutingModule {}
