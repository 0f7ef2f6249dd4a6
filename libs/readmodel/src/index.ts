export type { Share } from './batch-writer.ts';
export { checkpointOf, checkpoints, checkpointsOf } from './checkpoints.ts';
export { isDatabaseAway, openDatabase } from './database.ts';
export type { Database, DatabaseOptions } from './database.ts';
export { migrate } from './migrate.ts';
export { startPostgres } from './postgres/server.ts';
export type { Postgres, PostgresOptions } from './postgres/server.ts';
export { decodeForProjection, foldRows, isRowProjection, keyText } from './projection.ts';
export type {
  DecodedEntry,
  DomainEnvelope,
  ListProjection,
  Projection,
  ProjectionFault,
  RecordedEvent,
  Row,
  RowKey,
  RowProjection,
} from './projection.ts';
export { Projector } from './projector.ts';
export type { Lag, ProjectorCounts, ProjectorOptions } from './projector.ts';
export { streamSource } from './source.ts';
export type { Positions, ProjectorSource, SourceFollower, SourceOptions } from './source.ts';
