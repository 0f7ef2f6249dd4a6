export { asOfRoutes } from './as-of/index.ts';
export type { AsOf } from './as-of/index.ts';
export { readAt } from './queries.ts';
export type { Reader } from './queries.ts';
export { radiusAt, readRoutes } from './routes.ts';
export type { Readable } from './routes.ts';
