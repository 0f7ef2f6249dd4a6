export { readAt } from './queries.ts';
export { radiusAt, readRoutes } from './routes.ts';
export type { Readable } from './routes.ts';
