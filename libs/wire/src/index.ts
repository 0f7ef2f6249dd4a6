export type * from './gen/domain.ts';
export { contracts } from './gen/contracts.ts';
export type { Contract, FieldShape, Problem } from './contract.ts';
export {
  causeOf,
  decodeEntry,
  emptyHead,
  encodeEntry,
  EntryEncoder,
  eventTexts,
  genesisHash,
  hashEvent,
  lastHash,
  passOn,
} from './envelope.ts';
export type {
  Cause,
  EncodedEntry,
  EventEnvelope,
  EventToEncode,
  Head,
  IntakeEnvelope,
  Writer,
} from './envelope.ts';
export { acceptIntake, intakeMessageId } from './intake.ts';
export type { IntakeResult } from './intake.ts';
export { dataSchema, messageSchema } from './json-schema.ts';
export type { JsonSchema } from './json-schema.ts';
export { dataFromProtobuf, dataToProtobuf } from './protobuf.ts';
export { clearPersonal, holdsPersonal, replacePersonal } from './personal.ts';
export type { ReplaceText } from './personal.ts';
export { isSealed, sealedLength, sealedParts, sealedTexts } from './sealed.ts';
export type { SealedParts } from './sealed.ts';
export {
  asideStream,
  eventStream,
  eventSubject,
  intakeStream,
  intakeSubject,
  parseSubject,
} from './subjects.ts';
export type { AggregateId, ParsedSubject } from './subjects.ts';
export { contractOf, identifierPattern, validateData } from './validate.ts';
