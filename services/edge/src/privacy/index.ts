import type { Ledger } from '@meridian/journal';
import type { Route } from '../http/route.ts';
import { accessRoutes } from './access-routes.ts';
import { erasureRoutes } from './erasure-routes.ts';
import { holdRoutes, residencyRoutes } from './hold-routes.ts';
import type { PrivacyParts } from './parts.ts';

export type { PrivacyParts } from './parts.ts';

/** The routes under `/v1/privacy`. */
export function privacyRoutes(parts: PrivacyParts & { readonly ledger: Ledger }): Route[] {
  return [
    ...erasureRoutes(parts),
    ...holdRoutes(parts),
    ...residencyRoutes(parts),
    ...accessRoutes(parts),
  ];
}
