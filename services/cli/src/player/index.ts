export { clientEdge } from './client-edge.ts';
export { dayFacts } from './day-facts.ts';
export type { DayFacts } from './day-facts.ts';
export type { Blow, DisasterReport } from './disaster.ts';
export type {
  ClockAnswer,
  ClockReading,
  HomeView,
  LogRange,
  Places,
  PlayerEdge,
  PlayerRequest,
  RegionEdge,
  RegionEvent,
  SeenEvent,
  StoredRequest,
  StreamedEvent,
} from './edge.ts';
export { MeshEdge } from './mesh-edge.ts';
export { PlayFault } from './patience.ts';
export type { PatienceOptions } from './patience.ts';
export { playDay } from './play.ts';
export type { PlayOptions, Speed } from './play.ts';
export { isGood, reportLines, summaryLine } from './report.ts';
export type { KeptReceipt, PlayReport } from './report.ts';
export { View } from './view.ts';
export type { Screen } from './view.ts';
