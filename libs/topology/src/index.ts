export { ensureCertificates } from './certificates.ts';
export { controlServerConfig } from './control-config.ts';
export { ensureKeys, keyHolders, seedFile } from './credentials.ts';
export { parseTopology, TopologyInvalid } from './description.ts';
export { developmentTopology, type DevelopmentOptions } from './development.ts';
export { linkSubjects, type LinkSubjects } from './link-subjects.ts';
export { REGION_ACCOUNT, regionServerConfig, type ServerPaths } from './region-config.ts';
export {
  clientUrls,
  controlUrls,
  fullMesh,
  peersOf,
  regionNames,
  regionOf,
  type Address,
  type ControlPorts,
  type ControlRoute,
  type ControlServer,
  type Link,
  type Profile,
  type Region,
  type RegionServer,
  type ServerPorts,
  type Store,
  type Topology,
} from './topology.ts';
export {
  locationsIn,
  productionLocations,
  regionFiles,
  serverConfigs,
  writeMesh,
  type Locations,
} from './write.ts';
