export { Child } from './development/child.ts';
export { startDevelopmentRegion } from './development/region.ts';
export type { DevelopmentRegion, DevelopmentRegionOptions } from './development/region.ts';
