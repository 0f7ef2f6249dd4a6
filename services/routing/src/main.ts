import { bootstrap } from '@meridian/nest';
import { RoutingModule } from './routing.module.ts';

await bootstrap({ name: 'routing', modules: [RoutingModule] });
