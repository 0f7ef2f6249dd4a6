import { Module } from '@nestjs/common';
import { serviceModule } from '@meridian/nest';
import { SessionsHandlers } from './handlers.ts';

@Module({ imports: [serviceModule('sessions')], controllers: [SessionsHandlers] })
export class SessionsModule {}
