/** The one order as this process reads it: an `OrderedLog`. */
export const ORDERED_LOG = Symbol('meridian.ordered-log');
