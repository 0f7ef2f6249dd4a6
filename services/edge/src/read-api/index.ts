export { readRoutes } from './routes.ts';
export type { Readable } from './routes.ts';
