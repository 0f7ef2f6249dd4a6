/** What the region's runtime offers to be injected, by `@Inject(TOKEN)`. Types stand beside. */

/** `RegionConfig`: the checked configuration of the process. */
export const CONFIG = Symbol('meridian.config');
/** `NatsConnection`: the one connection of the process; undefined when it runs on a given log. */
export const NATS = Symbol('meridian.nats');
/** `Homes`: the regions of the mesh and the ledger of who owned what. */
export const HOMES = Symbol('meridian.homes');
/** `Log` of `@meridian/journal`: the one log of the process. */
export const LOG = Symbol('meridian.log');
/** `Beat`: liveness, progress and the driven clock, over `BEAT_<region>`. */
export const BEAT = Symbol('meridian.beat');
/** `Clock`: the system's or the driven one. */
export const CLOCK = Symbol('meridian.clock');
/** `Checkpoints`: where followers go on after a restart. */
export const CHECKPOINTS = Symbol('meridian.checkpoints');
/** `Leases`: for which homes the process may decide at this moment, and whether the way in is open. */
export const LEASES = Symbol('meridian.leases');
/** `Logger` of pino, for the process. */
export const LOGGER = Symbol('meridian.logger');
/** `MetricsRegistry`: all metrics of the process. */
export const REGISTRY = Symbol('meridian.registry');

/** `Service`: one service's runtime: onOpen, onClose, timers, followers. From `serviceModule`. */
export const SERVICE = Symbol('meridian.service');
/** `AsideStore`: what this service could not process. */
export const ASIDE = Symbol('meridian.aside');
/** `Progress`: what this service says about how far it has come. */
export const PROGRESS = Symbol('meridian.progress');
/** `Metrics`: the metrics of this service. */
export const METRICS = Symbol('meridian.metrics');
