import { accept, type Decider } from '@meridian/core';
import type { PrivacyCommand, PrivacyEvent } from '@meridian/wire';

export type Accessed = Extract<PrivacyEvent, { type: 'meridian.privacy.accessed.v1' }>;
export type RecordAccess = Extract<PrivacyCommand, { type: 'meridian.privacy.record_access.v1' }>;

const prefix = 'access-';

/** The aggregate that keeps who looked at what on one day, UTC: `access-20260131`. */
export function accessId(atMs: number): string {
  return prefix + new Date(atMs).toISOString().slice(0, 10).replaceAll('-', '');
}

/** Whether the id of an aggregate of `privacy` is that of a day's accesses. */
export const isAccessId = (id: string): boolean => id.startsWith(prefix);

/** The requests of these accesses by which a repeated one is known are kept by their causes. */
export const accessDecider: Decider<null, Accessed, RecordAccess, never> = {
  initial: () => null,
  evolve: (state) => state,
  decide: (_, { subject, data }) => accept({ type: 'meridian.privacy.accessed.v1', subject, data }),
};
