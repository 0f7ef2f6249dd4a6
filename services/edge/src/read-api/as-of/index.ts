export { asOfRoutes } from './routes.ts';
export type { AsOf, AsOfOptions } from './routes.ts';
