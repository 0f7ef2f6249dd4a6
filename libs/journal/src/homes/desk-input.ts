import type { LogMessage } from '../log.ts';

/** A message's place among what a desk reads; absent when it was asked for again out of turn. */
export type From = { readonly source: string; readonly sequence: number } | undefined;

/** The place of a message that is read in the order of its stream. */
export const placeOf = ({ stream: source, sequence }: LogMessage): From => ({ source, sequence });

/** Runs work within a span whose parent is given; hands it the span to store with its events. */
export type Trace = <T>(
  name: string,
  parent: string | undefined,
  work: (own: string | undefined) => T,
) => T;

/** Without spans: the parent is stored. */
export const untraced: Trace = (_name, parent, work) => work(parent);
