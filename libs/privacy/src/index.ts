export { accessDecider, accessId, isAccessId } from './domain/access.ts';
export type { Accessed, RecordAccess } from './domain/access.ts';
export { holdsOn, privacyDecider } from './domain/privacy.ts';
export type {
  Command,
  Confirmed,
  DecidedPrivacy,
  Erasure,
  Hold,
  Privacy,
  PrivacyRejection,
} from './domain/privacy.ts';
export { FollowedPrivacy, privacyHome } from './follow-privacy.ts';
export type { FollowPrivacyOptions } from './follow-privacy.ts';
export { privacyRequest } from './request.ts';
export type { PrivacyRequest, RequestToStore } from './request.ts';
