export {
  ControlClient,
  ControlStore,
  ControlUnavailable,
  WrongRevision,
  type ControlEntry,
} from './control-store.ts';
export { drawMeshFaults, noMeshFaults, type MeshFaults, type MeshFaultsOptions } from './faults.ts';
export { SimulatedMesh, type SimulatedMeshOptions } from './mesh.ts';
export { SimulatedRegion } from './region.ts';
