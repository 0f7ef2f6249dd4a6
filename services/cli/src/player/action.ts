/** What a customer or an agent does, in the order in which those of one moment come. */
export const actionKinds = [
  'CONFIGURE_QUEUE',
  'SIGN_IN',
  'COME_BACK',
  'COMPLETE_WRAP_UP',
  'HANG_UP',
  'ACCEPT',
  'REJECT',
  'LEAVE_IVR',
  'ARRIVE',
  'LOSE_PATIENCE',
  'SIGN_OUT',
] as const;
export type ActionKind = (typeof actionKinds)[number];

/** Something that somebody outside means to do at a moment. */
export interface Action {
  /** Log time, epoch ms. */
  readonly at: number;
  readonly kind: ActionKind;
  /** The contact, agent, reservation or queue that it is about. */
  readonly subject: string;
  /** Which of the subject's actions of this kind, from 1: shifts and come-backs repeat. */
  readonly ordinal: number;
}

const rankOf = new Map(actionKinds.map((kind, rank) => [kind, rank]));

/**
 * Whether `one` comes before `two`. A strict total order over the actions of a day that depends
 * on nothing but what they are, so the order in which they were planned cannot matter.
 */
export function comesBefore(one: Action, two: Action): boolean {
  if (one.at !== two.at) return one.at < two.at;
  if (one.kind !== two.kind) return Number(rankOf.get(one.kind)) < Number(rankOf.get(two.kind));
  if (one.subject !== two.subject) return one.subject < two.subject;
  return one.ordinal < two.ordinal;
}
