export { readEdgeConfig, type EdgeConfig } from './config.ts';
export { EdgeModule } from './edge.module.ts';
export { openEdge, type Edge, type EdgeParts } from './edge.ts';
export { serverOptions as edgeServerOptions } from './http/serve.ts';
export { Rebuilding, type PastFloor, type RebuildOptions } from './read-api/as-of/rebuild.ts';
