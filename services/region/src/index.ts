export { Child } from './development/child.ts';
export { startDevelopmentRegion } from './development/region.ts';
export type { DevelopmentRegion, DevelopmentRegionOptions } from './development/region.ts';
export { MeshMember } from './development/member.ts';
export { startDevelopmentMesh } from './development/mesh.ts';
export type { DevelopmentMesh, DevelopmentMeshOptions } from './development/mesh.ts';
