import { bootstrap } from '@meridian/nest';
import { SessionsModule } from './sessions.module.ts';

await bootstrap({ name: 'sessions', modules: [SessionsModule] });
