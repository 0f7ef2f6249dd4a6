export { checkMayOpen, Opening, personalParameter } from './opening.ts';
export { openPersonal } from './parts.ts';
export { personalRoutes } from './routes.ts';
