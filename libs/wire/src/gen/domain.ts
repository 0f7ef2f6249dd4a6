// Generated from proto/ by scripts/gen. Do not edit.
/** What every event and command of the domain is: its type, whom it is about, and its data. */
export interface Typed<Type extends string, Data> {
  readonly type: Type;
  /** The id of the contact, reservation, agent or queue that it is about. */
  readonly subject: string;
  readonly data: Data;
}

/** The way a customer and an agent talk. */
export type Channel =
  | 'VOICE'
  | 'CHAT'
  | 'EMAIL'
  | 'VIDEO'
  | 'TASK';

/** The first axis of an agent's state. The second, per channel, follows from the reservations. */
export type Presence =
  | 'OFFLINE'
  | 'AVAILABLE'
  | 'AWAY'
  | 'BUSY'
  | 'NOT_RESPONDING';

/** How a contact came about. */
export type InitiationMethod =
  | 'INBOUND'
  | 'OUTBOUND'
  | 'TRANSFER'
  | 'CALLBACK'
  | 'API';

/** Who did it. */
export type Party =
  | 'CUSTOMER'
  | 'AGENT'
  | 'SYSTEM';

/** The states of a contact, as in the state machine. */
export type ContactState =
  | 'IN_SYSTEM'
  | 'IVR'
  | 'QUEUED'
  | 'OFFERED'
  | 'CONNECTED'
  | 'HELD'
  | 'WRAP_UP'
  | 'COMPLETED'
  | 'ABANDONED'
  | 'CANCELED'
  | 'FAILED';

export type IvrExit =
  | 'TO_QUEUE'
  | 'HUNG_UP'
  | 'WATCHDOG';

export type OfferEnd =
  | 'REJECTED'
  | 'TIMED_OUT'
  | 'RESCINDED'
  | 'SUPERSEDED';

export type DequeueReason =
  | 'TO_AGENT'
  | 'GAVE_UP'
  | 'REAPED';

export type AcwEnd =
  | 'BY_AGENT'
  | 'TIME_LIMIT';

export type FailoverKind =
  | 'PLANNED'
  | 'UNPLANNED';

export type Adoption =
  | 'REDECIDED'
  | 'WAITING'
  | 'OFFERED';

/** What was looked at in the audit. */
export type AccessKind =
  | 'AS_OF'
  | 'LOG'
  | 'EXPLANATION'
  | 'OPENING'
  | 'SUBJECTS';

/** How an agent is chosen among those who qualify. */
export type Strategy =
  | 'LONGEST_IDLE'
  | 'MOST_SKILLED';

export type Health =
  | 'HEALTHY'
  | 'DEGRADED'
  | 'FENCED'
  | 'LOST';

export type LagChange =
  | 'EXCEEDED'
  | 'RECOVERED';

export type ExclusionReason =
  | 'NOT_AVAILABLE'
  | 'AT_CAPACITY'
  | 'NO_CHANNEL'
  | 'SKILL_MISSING'
  | 'SKILL_TOO_LOW'
  | 'DECLINED';

export type Outcome =
  | 'OFFERED'
  | 'WAITING'
  | 'UNROUTABLE';

export type Trigger =
  | 'CONTACT_QUEUED'
  | 'AGENT_FREED'
  | 'OFFER_ENDED'
  | 'QUEUE_CHANGED'
  | 'TIME'
  | 'CONTACT_BORROWED'
  | 'CONTACT_RETURNED';

export type ReturnReason =
  | 'NO_AGENT'
  | 'QUEUE_UNKNOWN'
  | 'CONTACT_KNOWN'
  | 'OFFER_ENDED';

/** A skill that an agent has, and how well: 1 (knows a little) to 5 (masters it). */
export interface SkillLevel {
  readonly skill: string;
  readonly level: number;
}

/** A skill that a contact asks for; an agent qualifies from `minimum_level` on. */
export interface SkillRequirement {
  readonly skill: string;
  readonly minimumLevel: number;
}

/** How many contacts of one channel an agent may have at once. */
export interface ChannelCapacity {
  readonly channel: Channel;
  readonly limit: number;
}

export interface AgentSignedIn {
  readonly sessionId: string;
  readonly skills: readonly SkillLevel[];
  readonly capacities: readonly ChannelCapacity[];
  readonly presence: Presence;
}

export interface AgentSignedOut {
  readonly sessionId: string;
  /** The home in which the agent signed in later, when that ended the session here. */
  readonly elsewhere?: string;
}

/**
 * The agent asked to sign out, or signed in elsewhere, with contacts still open: no new offer, out
 * after the last one.
 */
export interface AgentSignOutRequested {
  /** The home in which the agent signed in later, when that is why. */
  readonly elsewhere?: string;
}

/** A second sign-in took over; open contacts stay with the agent. */
export interface AgentSessionSuperseded {
  readonly sessionId: string;
  readonly supersededBy: string;
}

export interface AgentStateChanged {
  readonly from: Presence;
  readonly to: Presence;
  readonly reasonCode?: string;
}

export interface AgentSkillsChanged {
  readonly skills: readonly SkillLevel[];
}

export interface AgentCapacityChanged {
  readonly capacities: readonly ChannelCapacity[];
}

/** An offer rang out; no further offers until the agent is available again. */
export interface AgentNotResponding {
  readonly reservationId: string;
}

/** Begins to work. A second sign-in under another session supersedes the first. */
export interface SignIn {
  readonly sessionId: string;
  readonly skills?: readonly SkillLevel[];
  readonly capacities: readonly ChannelCapacity[];
  /** The presence to start in; AVAILABLE when absent. */
  readonly presence?: Presence;
}

/** Ends the work. With contacts still open it takes effect after the last one. */
export type SignOut = Readonly<Record<string, never>>;

/** Becomes available, or goes away for a reason (break, meal, meeting, training, system). */
export interface SetPresence {
  readonly presence: Presence;
  readonly reason?: string;
}

/** The owner of the order has folded the first `size` ranks. */
export interface ChainCheckpointSigned {
  readonly size: number;
  /** The root of the tree (RFC 6962) over these ranks, 32 bytes in base64url. */
  readonly root: string;
  /** The root of the map of the heads of all aggregates among these, 32 bytes in base64url. */
  readonly headsRoot: string;
  /** How many aggregates the map holds. */
  readonly aggregates: number;
  /** Whose signature it is, and the Ed25519 key, 32 bytes in base64url. */
  readonly region: string;
  readonly publicKey: string;
  /** The signed note (C2SP tlog-checkpoint), with this one signature. */
  readonly note: string;
}

/** Another region has found the same in its copies. */
export interface ChainCheckpointCosigned {
  readonly size: number;
  readonly region: string;
  readonly publicKey: string;
  /** The line that goes below the note's others. */
  readonly signature: string;
}

/** Another region has found something else in its copies: what was signed is not what it holds. */
export interface ChainCheckpointDisputed {
  readonly size: number;
  readonly region: string;
  /** Up to here both had found the same; the difference is at this rank or a later one below `size`. */
  readonly agreedSize: number;
  readonly signedRoot: string;
  readonly signedHeadsRoot: string;
  readonly foundRoot: string;
  readonly foundHeadsRoot: string;
}

/** How long a contact was in one state. Those of a contact add up to its duration. */
export interface StateDuration {
  readonly state: ContactState;
  /** Milliseconds; a double holds any contact's exactly. */
  readonly durationMs: number;
}

export interface ContactInitiated {
  readonly method: InitiationMethod;
  readonly channel: Channel;
  readonly customer?: string;
  readonly attributes?: { readonly [key: string]: string };
  readonly personalAttributes?: { readonly [key: string]: string };
}

export type ContactConnectedToSystem = Readonly<Record<string, never>>;

export interface ContactIvrStarted {
  readonly flow: string;
}

export interface ContactIvrEnded {
  readonly exit: IvrExit;
}

export interface ContactAttributesUpdated {
  readonly attributes: { readonly [key: string]: string };
}

export interface ContactQueued {
  readonly queueId: string;
  readonly channel: Channel;
  readonly priority?: number;
  readonly requirements: readonly SkillRequirement[];
}

/** The contact is alerting at an agent. */
export interface ContactOffered {
  readonly reservationId: string;
  readonly agentId: string;
  readonly expiresAt: string;
}

/** The offer came to nothing; the contact is back at its original place. */
export interface ContactRequeued {
  readonly reservationId: string;
  readonly reason: OfferEnd;
  /** When it first joined the queue: its place counts from here. */
  readonly enqueuedAt: string;
}

export interface ContactDequeued {
  readonly queueId: string;
  readonly reason: DequeueReason;
  /** From joining the queue to leaving it, in milliseconds. */
  readonly waitedMs: number;
}

export interface ContactConnectedToAgent {
  readonly agentId: string;
  readonly reservationId: string;
}

export type ContactHeld = Readonly<Record<string, never>>;

export type ContactResumed = Readonly<Record<string, never>>;

/** The customer gave up before an agent answered. An end. */
export interface ContactAbandoned {
  /** Where the customer was: IN_SYSTEM, IVR, QUEUED or OFFERED (alerting). */
  readonly stage: ContactState;
  readonly durations: readonly StateDuration[];
}

export interface ContactDisconnected {
  readonly by: Party;
  readonly reason?: string;
}

/** After-call work begins. It ends by itself at `limit_at`. */
export interface ContactAcwStarted {
  readonly agentId: string;
  readonly limitAt: string;
}

export interface ContactAcwEnded {
  readonly reason: AcwEnd;
}

export interface ContactDisposed {
  readonly disposition: string;
}

/** The contact is over. An end. */
export interface ContactCompleted {
  readonly durations: readonly StateDuration[];
}

/** A watchdog found a state that lasted too long and ended the contact. An end (FAILED). */
export interface ContactOrphanReaped {
  readonly state: ContactState;
  readonly since: string;
  readonly limitMs: number;
  readonly durations: readonly StateDuration[];
}

/** A customer reached the company, or is being reached. */
export interface InitiateContact {
  readonly method: InitiationMethod;
  readonly channel: Channel;
  /** The customer as the publisher knows them: an account, an address, a number. */
  readonly customer?: string;
  /** The IVR flow or bot that serves the customer first. Without one, the system waits to be told. */
  readonly flow?: string;
  readonly attributes?: { readonly [key: string]: string };
  /**
   * What is known of the customer beyond the name they go by, which must be there too: these values are
   * sealed with the same key. The names of the entries are not.
   */
  readonly personalAttributes?: { readonly [key: string]: string };
}

/** The customer is to be served by an agent: leaves the IVR, joins the queue. */
export interface EnterQueue {
  readonly queueId: string;
  /** 0 is ordinary. Each level is worth the queue's ageing time as a head start. */
  readonly priority?: number;
  /** Beyond what the queue itself asks for. */
  readonly requirements?: readonly SkillRequirement[];
}

/** One side ends the conversation, or the customer gives up before it began. */
export interface HangUp {
  readonly by: Party;
  readonly reason?: string;
}

/** The agent puts the customer on hold. */
export type HoldContact = Readonly<Record<string, never>>;

/** The agent takes the customer back from hold. */
export type ResumeContact = Readonly<Record<string, never>>;

/** The agent has finished the after-call work. */
export interface CompleteWrapUp {
  readonly disposition?: string;
}

/** Facts about the contact are added or replaced. */
export interface UpdateAttributes {
  readonly attributes: { readonly [key: string]: string };
}

/** A client's event. Those of one append are one entry. */
export interface CustomAppended {
  /** The client's own id for it: a UUID. An append of the same ids at the same place is stored once. */
  readonly eventId: string;
  /** The client's own name for its kind. */
  readonly eventType: string;
  /** Whether `content` is JSON text; base64 of any bytes otherwise. */
  readonly isJson?: boolean;
  /** Whose it is about is not known, so it counts as personal. */
  readonly content?: string;
  /** JSON text where it begins with a brace, base64 of any bytes otherwise. */
  readonly metadata?: string;
}

/** Keeps the receipt of a drill on the log. */
export interface RecordDrill {
  /** The receipt as it was signed, in JSON, byte for byte. */
  readonly receipt: string;
  /** Whether everything that must hold did. */
  readonly passed: boolean;
  /** What was done, such as `kill eu`. */
  readonly exercise: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

export interface DrillCompleted {
  /** The receipt as it was signed, in JSON, byte for byte. */
  readonly receipt: string;
  readonly passed: boolean;
  readonly exercise: string;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** Somebody asked for the ownership to move. */
export interface FailoverRequested {
  readonly to: string;
  readonly kind: FailoverKind;
  readonly reason?: string;
  readonly breakGlass?: boolean;
  /** The epoch in force, and who owned the home under it. */
  readonly epoch: number;
  readonly owner: string;
}

/**
 * The ownership begins to move: the owner takes back what it has granted, or a survivor found the
 * owner's lease lapsed.
 */
export interface FailoverStarted {
  /** The epoch that is about to end. */
  readonly epoch: number;
  readonly owner: string;
  readonly to: string;
  readonly kind: FailoverKind;
}

/** The home's last entry under an epoch: the sequence of this entry is the seal. */
export interface FailoverSealed {
  readonly epoch: number;
  /** Who is to go on. */
  readonly to: string;
}

/** How much of the lost owner's decisions a survivor held when the takeover was decided. */
export interface SurvivorClaim {
  readonly region: string;
  readonly upTo: number;
}

/** An epoch that has ended: who decided under it, and the last sequence in `EV_<owner>` that counts. */
export interface EpochSeal {
  readonly epoch: number;
  readonly owner: string;
  readonly upTo: number;
}

/** The home's first entry under a new epoch. From these events alone follows what counts. */
export interface FailoverCompleted {
  readonly home: string;
  /** The epoch that begins, and who decides under it. */
  readonly epoch: number;
  readonly owner: string;
  /** The epoch that ended, who decided under it, and its last sequence in `EV_<previous_owner>` that counts. */
  readonly previousEpoch: number;
  readonly previousOwner: string;
  readonly upTo: number;
  readonly kind: FailoverKind;
  readonly reason?: string;
  /** When it was asked for; absent when nobody did. */
  readonly requestedAt?: string;
  /** The last sign of life of the previous owner that the new one knows of, by the previous owner's clock. */
  readonly previousSeenAt?: string;
  /** When the new owner knew that it must act: the lease had lapsed, or the seal was there. */
  readonly detectedAt?: string;
  /** When the last entry that counts was stored, by the previous owner's clock. */
  readonly lastCountedAt?: string;
  /**
   * How much may be lost: 0 when planned; otherwise from the last entry that counts to the last sign of
   * life, in ms. What was really lost is known when the previous owner returns: see the orphans.
   */
  readonly rpoMs?: number;
  /** From the detection to this entry, in ms, by the new owner's clock. */
  readonly takeoverMs?: number;
  /** What each survivor held; empty when planned. */
  readonly claims?: readonly SurvivorClaim[];
  /** Decided without the control cluster. */
  readonly breakGlass?: boolean;
  /** All epochs that have ended, from 1 to `previous_epoch`: each such event is the whole ledger of the home. */
  readonly seals: readonly EpochSeal[];
}

/** It did not come to that; the owner goes on under the same epoch. */
export interface FailoverFailed {
  readonly epoch: number;
  readonly owner: string;
  readonly to: string;
  readonly kind: FailoverKind;
  /** A code, such as DECIDERS_DID_NOT_STOP, and what it means here. */
  readonly code: string;
  readonly reason: string;
}

/** The home is decided for by its own region again. */
export interface FailoverFailedBack {
  readonly epoch: number;
  /** Who decided for it in between. */
  readonly previousOwner: string;
}

/** Moves the ownership of a home to a region; to the home's own region, it is a failback. */
export interface RequestFailover {
  readonly to: string;
  readonly kind: FailoverKind;
  readonly reason?: string;
  /**
   * Decide without the control cluster, because the other regions are lost for good: the region `to`
   * serves the home on the word of who asks. If another region lives after all, both decide.
   */
  readonly breakGlass?: boolean;
}

/** The messages of a stream after one sequence, up to another and that one among them. */
export interface OrderRange {
  readonly stream: string;
  readonly after: number;
  readonly upTo: number;
}

/**
 * The key from which the salts of 65,536 sequences of a stream are made. It is on the log and nowhere
 * else: where the range of the log that holds it is deleted with its archive, what remains of the
 * messages' leaves tells nobody what they were.
 */
export interface SegmentKey {
  readonly stream: string;
  /** From 0 on: segment 0 holds the sequences 1 to 65,536. */
  readonly segment: number;
  /** 32 bytes in base64url. */
  readonly key: string;
}

export interface OrderExtended {
  /** How many messages were ordered before: the rank of the first one here. */
  readonly afterRank: number;
  /** In this sequence; each stream goes on where it was left. */
  readonly ranges: readonly OrderRange[];
  /** Of the segments that begin in these ranges. */
  readonly keys?: readonly SegmentKey[];
}

/** The entry that does not count. */
export interface OrphanEntry {
  readonly home: string;
  readonly epoch: number;
  /** Who wrote it, and where. */
  readonly region: string;
  readonly stream: string;
  readonly sequence: number;
  /** The aggregate it belongs to, as `<tenant>.<entity>.<id>`. */
  readonly aggregate: string;
  /** The types of its events, in order, each once. */
  readonly types: readonly string[];
}

export interface OrphanAdopted {
  readonly entry: OrphanEntry;
  readonly adoption: Adoption;
  /** The requests that caused it, as `<source>#<id>`. */
  readonly causes?: readonly string[];
}

export interface OrphanSetAside {
  readonly entry: OrphanEntry;
  /** A code, such as SUPERSEDED, and what it means here. */
  readonly code: string;
  readonly reason: string;
  readonly causes?: readonly string[];
}

/** A data subject's key, as one region made it. */
export interface SubjectKey {
  /** 1 to 72 characters; it says nothing of whose it is. */
  readonly id: string;
  /** The regions that may hold it, of the tenant's residency when it was made, sorted. */
  readonly regions: readonly string[];
}

/** An erasure is asked for, and nothing is in its way: every region is to destroy the keys. */
export interface SubjectErasureRequested {
  readonly erasureId: string;
  readonly keys: readonly SubjectKey[];
  /** The regions that may hold one of them, sorted: each must say that it holds none any more. */
  readonly regions: readonly string[];
  /** How many contacts were found that are sealed with them. */
  readonly contacts?: number;
  readonly reason: string;
  /** The id of the API key that asked for it. */
  readonly requestedBy?: string;
  readonly requestedAt: string;
}

/** An erasure is asked for, and holds forbid it. The release of the last one requests it. */
export interface SubjectErasureBlocked {
  readonly erasureId: string;
  readonly keys: readonly SubjectKey[];
  /** The holds in force on one of the keys, sorted. */
  readonly holdIds: readonly string[];
  readonly contacts?: number;
  readonly reason: string;
  readonly requestedBy?: string;
  readonly requestedAt: string;
}

/** A region has said that it holds none of the keys any more. */
export interface KeysDestroyed {
  readonly erasureId: string;
  readonly region: string;
  /** Those that it held until then. */
  readonly destroyed?: readonly string[];
  /** Those that it did not hold. */
  readonly absent?: readonly string[];
}

/** The certificate: no region that may have held the keys holds one any more. */
export interface SubjectErased {
  readonly erasureId: string;
  readonly keys: readonly SubjectKey[];
  /** What each region said, sorted by region. */
  readonly regions: readonly RegionErased[];
  readonly contacts?: number;
  readonly reason: string;
  readonly requestedBy?: string;
  readonly requestedAt: string;
  readonly erasedAt: string;
}

export interface RegionErased {
  readonly region: string;
  /** How many keys it held until then, and how many it did not hold. */
  readonly destroyed?: number;
  readonly absent?: number;
  readonly at: string;
}

/** The keys, and what is sealed with them, must stay until the hold is released. */
export interface HoldPlaced {
  readonly holdId: string;
  readonly keyIds: readonly string[];
  /** The contacts that it was placed by, if any: the keys are those that they are sealed with. */
  readonly contactIds?: readonly string[];
  readonly reason: string;
  readonly placedBy?: string;
}

export interface HoldReleased {
  readonly holdId: string;
  readonly reason?: string;
  readonly releasedBy?: string;
}

/** The regions in which the tenant's keys, and what they open, may be from now on. */
export interface ResidencySet {
  /** Sorted; empty: all regions. */
  readonly regions?: readonly string[];
  readonly setBy?: string;
}

/** Somebody looked; the actor of the event is the id of their API key. */
export interface Accessed {
  readonly kind: AccessKind;
  /** What was asked for first, such as a path: never what was found. */
  readonly what: string;
  readonly reason?: string;
  /** The region whose edge answered. */
  readonly region: string;
}

/** Destroys a data subject's keys in every region that may hold them. */
export interface EraseSubject {
  readonly erasureId: string;
  readonly keys: readonly SubjectKey[];
  /** How many contacts were found that are sealed with them. */
  readonly contacts?: number;
  readonly reason: string;
}

/** A region has destroyed the keys of an erasure, and looked that nothing can be opened with them. */
export interface ConfirmKeysDestroyed {
  readonly erasureId: string;
  readonly region: string;
  readonly destroyed?: readonly string[];
  readonly absent?: readonly string[];
}

/** Forbids that keys are destroyed. */
export interface PlaceHold {
  readonly holdId: string;
  readonly keyIds: readonly string[];
  readonly contactIds?: readonly string[];
  readonly reason: string;
}

export interface ReleaseHold {
  readonly holdId: string;
  readonly reason?: string;
}

/** Says in which regions the tenant's keys may be; none: in all. */
export interface SetResidency {
  readonly regions?: readonly string[];
}

/** An edge is about to show what is in the audit. */
export interface RecordAccess {
  readonly kind: AccessKind;
  readonly what: string;
  readonly reason?: string;
  readonly region: string;
}

/** How a queue works. */
export interface QueueSettings {
  /** What every contact of the queue asks for. */
  readonly requirements?: readonly SkillRequirement[];
  readonly strategy: Strategy;
  /** How long an offer rings, in milliseconds. */
  readonly offerTtlMs: number;
  /** What one level of priority is worth as a head start, in milliseconds of waiting. */
  readonly ageingMsPerLevel: number;
  /** The waiting time within which the service level counts a contact as answered in time. */
  readonly serviceLevelMs: number;
}

export interface QueueCreated {
  readonly settings: QueueSettings;
}

export interface QueueUpdated {
  readonly settings: QueueSettings;
}

export type QueueDeleted = Readonly<Record<string, never>>;

/** Creates the queue, or changes how it works. */
export interface ConfigureQueue {
  readonly settings: QueueSettings;
}

/** Takes the queue away. Refused while contacts wait in it. */
export type DeleteQueue = Readonly<Record<string, never>>;

export interface RegionHealthChanged {
  readonly from: Health;
  readonly to: Health;
  /** Codes, such as LEASE_LAPSED or COPIES_DIFFER, each with what it means here. */
  readonly reasons: readonly string[];
}

/** The region saw neither its peers nor the control cluster. */
export interface RegionIsolated {
  /** The peers it did not hear. */
  readonly unreachable: readonly string[];
  readonly since: string;
  /** Whether it went on deciding without a lease (onIsolation: serve). */
  readonly serving: boolean;
}

/** The region sees the others again. */
export interface RegionRejoined {
  readonly isolatedSince: string;
  readonly isolatedMs: number;
}

export interface ReplicationLagSampled {
  /** The stream that is copied, such as EV_eu. */
  readonly stream: string;
  readonly change: LagChange;
  /** How many entries the copy is behind. */
  readonly behind: number;
  /** For how long it has been behind, in ms; at the end, the longest there was. */
  readonly lagMs: number;
  readonly limitMs: number;
}

export interface AcceptReservation {
  readonly agentId: string;
}

export interface RejectReservation {
  readonly agentId: string;
  readonly reason?: string;
}

/** The agent is held for the contact and alerted. */
export interface ReservationCreated {
  readonly contactId: string;
  readonly agentId: string;
  readonly queueId: string;
  readonly channel: Channel;
  /** The offer times out here unless it was answered. */
  readonly expiresAt: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The agent answered. */
export interface ReservationAccepted {
  readonly contactId: string;
  readonly agentId: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The agent declined; the contact returns to its place. */
export interface ReservationRejected {
  readonly contactId: string;
  readonly agentId: string;
  readonly reason?: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The agent did not answer in time; the contact returns to its place. */
export interface ReservationTimedOut {
  readonly contactId: string;
  readonly agentId: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The offer was taken back before it was answered. */
export interface ReservationRescinded {
  readonly contactId: string;
  readonly agentId: string;
  readonly reason: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The contact ended after the agent had answered and before they spoke. */
export interface ReservationCanceled {
  readonly contactId: string;
  readonly agentId: string;
  readonly reason: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The conversation is over; the agent does the after-call work. */
export interface ReservationWrapping {
  readonly contactId: string;
  readonly agentId: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** The agent is free again. */
export interface ReservationCompleted {
  readonly contactId: string;
  readonly agentId: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
}

/** One agent who could have been chosen, in the order of preference. */
export interface Candidate {
  readonly agentId: string;
  /** The sum of the agent's levels in the skills asked for. */
  readonly levelSum?: number;
  /** How long the agent had been idle, in milliseconds. */
  readonly idleMs?: number;
}

/** Agents who could not be chosen, for one reason. */
export interface Exclusion {
  readonly reason: ExclusionReason;
  readonly count: number;
  /** The first few of them by id. */
  readonly agentIds: readonly string[];
}

export interface RoutingDecided {
  readonly outcome: Outcome;
  readonly trigger: Trigger;
  /** Who was chosen, when OFFERED. */
  readonly agentId?: string;
  readonly queueId: string;
  readonly channel: Channel;
  readonly priority?: number;
  /** All that was asked of the agent: the queue's requirements and the contact's own. */
  readonly requirements: readonly SkillRequirement[];
  readonly enqueuedAt: string;
  /** How many contacts of the partition were waiting, this one included. */
  readonly waitingCount?: number;
  readonly strategy?: Strategy;
  /** The first few, best first. */
  readonly candidates: readonly Candidate[];
  /** How many there were in all. */
  readonly candidateCount?: number;
  readonly exclusions: readonly Exclusion[];
  /** What the contact asked for itself, beyond the queue's requirements. */
  readonly contactRequirements: readonly SkillRequirement[];
  /** The name and version of the rule that chose. */
  readonly algorithm: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
  /** How many offers the contact had had before, when it comes from another partition. */
  readonly attempts?: number;
  /** The loan that brought the contact here, and the epoch of its home in which it was made. */
  readonly loan?: number;
  readonly loanEpoch?: number;
}

/** A contact that waited, was offered or was lent has ended; its place is gone. */
export interface RoutingWithdrawn {
  readonly queueId: string;
  /** The type of the contact's event that ended it, or says that it is served. */
  readonly reason: string;
  /** The contact's home, when it is another than the partition's. */
  readonly contactHome?: string;
  /** The partition that the contact was lent to: it lets go of it too. */
  readonly lentTo?: string;
  /** The reservation that serves it, when that is none of the partition's making: it stays. */
  readonly reservationId?: string;
}

/** A waiting contact is another partition's to offer from now on: it offers it at once or returns it. */
export interface RoutingLent {
  /** The home of the partition that may offer it. */
  readonly to: string;
  /** Counts the loans of the lending partition from 1. */
  readonly loan: number;
  readonly queueId: string;
  readonly channel: Channel;
  readonly priority?: number;
  /** What the contact asked for itself, beyond the queue's requirements. */
  readonly contactRequirements: readonly SkillRequirement[];
  readonly enqueuedAt: string;
  /** The number of the contact's last offer, in all partitions. */
  readonly attempts?: number;
  /** The epoch of the contact's home in which the loan is made; 1 when absent. */
  readonly loanEpoch?: number;
}

/** A borrowed contact goes back to its place in the partition that lent it. */
export interface RoutingReturned {
  /** The home of the contact and of the partition that lent it. */
  readonly contactHome: string;
  /** The loan that ends, and the epoch of the contact's home in which it was made. */
  readonly loan: number;
  readonly loanEpoch: number;
  /** How many offers the contact has had, in all partitions. */
  readonly attempts?: number;
  readonly reason: ReturnReason;
}

export type AgentEvent =
  | Typed<'meridian.agent.signed_in.v1', AgentSignedIn>
  | Typed<'meridian.agent.signed_out.v1', AgentSignedOut>
  | Typed<'meridian.agent.sign_out_requested.v1', AgentSignOutRequested>
  | Typed<'meridian.agent.session_superseded.v1', AgentSessionSuperseded>
  | Typed<'meridian.agent.state_changed.v1', AgentStateChanged>
  | Typed<'meridian.agent.skills_changed.v1', AgentSkillsChanged>
  | Typed<'meridian.agent.capacity_changed.v1', AgentCapacityChanged>
  | Typed<'meridian.agent.not_responding.v1', AgentNotResponding>;

export type ChainEvent =
  | Typed<'meridian.chain.checkpoint_signed.v1', ChainCheckpointSigned>
  | Typed<'meridian.chain.checkpoint_cosigned.v1', ChainCheckpointCosigned>
  | Typed<'meridian.chain.checkpoint_disputed.v1', ChainCheckpointDisputed>;

export type ContactEvent =
  | Typed<'meridian.contact.initiated.v1', ContactInitiated>
  | Typed<'meridian.contact.connected_to_system.v1', ContactConnectedToSystem>
  | Typed<'meridian.contact.ivr_started.v1', ContactIvrStarted>
  | Typed<'meridian.contact.ivr_ended.v1', ContactIvrEnded>
  | Typed<'meridian.contact.attributes_updated.v1', ContactAttributesUpdated>
  | Typed<'meridian.contact.queued.v1', ContactQueued>
  | Typed<'meridian.contact.offered.v1', ContactOffered>
  | Typed<'meridian.contact.requeued.v1', ContactRequeued>
  | Typed<'meridian.contact.dequeued.v1', ContactDequeued>
  | Typed<'meridian.contact.connected_to_agent.v1', ContactConnectedToAgent>
  | Typed<'meridian.contact.held.v1', ContactHeld>
  | Typed<'meridian.contact.resumed.v1', ContactResumed>
  | Typed<'meridian.contact.abandoned.v1', ContactAbandoned>
  | Typed<'meridian.contact.disconnected.v1', ContactDisconnected>
  | Typed<'meridian.contact.acw_started.v1', ContactAcwStarted>
  | Typed<'meridian.contact.acw_ended.v1', ContactAcwEnded>
  | Typed<'meridian.contact.disposed.v1', ContactDisposed>
  | Typed<'meridian.contact.completed.v1', ContactCompleted>
  | Typed<'meridian.contact.orphan_reaped.v1', ContactOrphanReaped>;

export type CustomEvent =
  | Typed<'meridian.custom.appended.v1', CustomAppended>;

export type DrillEvent =
  | Typed<'meridian.drill.completed.v1', DrillCompleted>;

export type FailoverEvent =
  | Typed<'meridian.failover.requested.v1', FailoverRequested>
  | Typed<'meridian.failover.started.v1', FailoverStarted>
  | Typed<'meridian.failover.sealed.v1', FailoverSealed>
  | Typed<'meridian.failover.completed.v1', FailoverCompleted>
  | Typed<'meridian.failover.failed.v1', FailoverFailed>
  | Typed<'meridian.failover.failed_back.v1', FailoverFailedBack>;

export type OrderEvent =
  | Typed<'meridian.order.extended.v1', OrderExtended>;

export type OrphanEvent =
  | Typed<'meridian.orphan.adopted.v1', OrphanAdopted>
  | Typed<'meridian.orphan.set_aside.v1', OrphanSetAside>;

export type PrivacyEvent =
  | Typed<'meridian.privacy.subject_erasure_requested.v1', SubjectErasureRequested>
  | Typed<'meridian.privacy.subject_erasure_blocked.v1', SubjectErasureBlocked>
  | Typed<'meridian.privacy.keys_destroyed.v1', KeysDestroyed>
  | Typed<'meridian.privacy.subject_erased.v1', SubjectErased>
  | Typed<'meridian.privacy.hold_placed.v1', HoldPlaced>
  | Typed<'meridian.privacy.hold_released.v1', HoldReleased>
  | Typed<'meridian.privacy.residency_set.v1', ResidencySet>
  | Typed<'meridian.privacy.accessed.v1', Accessed>;

export type QueueEvent =
  | Typed<'meridian.queue.created.v1', QueueCreated>
  | Typed<'meridian.queue.updated.v1', QueueUpdated>
  | Typed<'meridian.queue.deleted.v1', QueueDeleted>;

export type RegionEvent =
  | Typed<'meridian.region.health_changed.v1', RegionHealthChanged>
  | Typed<'meridian.region.isolated.v1', RegionIsolated>
  | Typed<'meridian.region.rejoined.v1', RegionRejoined>;

export type ReplicationEvent =
  | Typed<'meridian.replication.lag_sampled.v1', ReplicationLagSampled>;

export type ReservationEvent =
  | Typed<'meridian.reservation.created.v1', ReservationCreated>
  | Typed<'meridian.reservation.accepted.v1', ReservationAccepted>
  | Typed<'meridian.reservation.rejected.v1', ReservationRejected>
  | Typed<'meridian.reservation.timed_out.v1', ReservationTimedOut>
  | Typed<'meridian.reservation.rescinded.v1', ReservationRescinded>
  | Typed<'meridian.reservation.canceled.v1', ReservationCanceled>
  | Typed<'meridian.reservation.wrapping.v1', ReservationWrapping>
  | Typed<'meridian.reservation.completed.v1', ReservationCompleted>;

export type RoutingEvent =
  | Typed<'meridian.routing.decided.v1', RoutingDecided>
  | Typed<'meridian.routing.withdrawn.v1', RoutingWithdrawn>
  | Typed<'meridian.routing.lent.v1', RoutingLent>
  | Typed<'meridian.routing.returned.v1', RoutingReturned>;

/** Every decision that the log can hold. */
export type DomainEvent =
  | AgentEvent
  | ChainEvent
  | ContactEvent
  | CustomEvent
  | DrillEvent
  | FailoverEvent
  | OrderEvent
  | OrphanEvent
  | PrivacyEvent
  | QueueEvent
  | RegionEvent
  | ReplicationEvent
  | ReservationEvent
  | RoutingEvent;

export type AgentCommand =
  | Typed<'meridian.agent.sign_in.v1', SignIn>
  | Typed<'meridian.agent.sign_out.v1', SignOut>
  | Typed<'meridian.agent.set_presence.v1', SetPresence>;

export type ContactCommand =
  | Typed<'meridian.contact.initiate.v1', InitiateContact>
  | Typed<'meridian.contact.enter_queue.v1', EnterQueue>
  | Typed<'meridian.contact.hang_up.v1', HangUp>
  | Typed<'meridian.contact.hold.v1', HoldContact>
  | Typed<'meridian.contact.resume.v1', ResumeContact>
  | Typed<'meridian.contact.complete_wrap_up.v1', CompleteWrapUp>
  | Typed<'meridian.contact.update_attributes.v1', UpdateAttributes>;

export type DrillCommand =
  | Typed<'meridian.drill.record.v1', RecordDrill>;

export type FailoverCommand =
  | Typed<'meridian.failover.request.v1', RequestFailover>;

export type PrivacyCommand =
  | Typed<'meridian.privacy.erase_subject.v1', EraseSubject>
  | Typed<'meridian.privacy.confirm_keys_destroyed.v1', ConfirmKeysDestroyed>
  | Typed<'meridian.privacy.place_hold.v1', PlaceHold>
  | Typed<'meridian.privacy.release_hold.v1', ReleaseHold>
  | Typed<'meridian.privacy.set_residency.v1', SetResidency>
  | Typed<'meridian.privacy.record_access.v1', RecordAccess>;

export type QueueCommand =
  | Typed<'meridian.queue.configure.v1', ConfigureQueue>
  | Typed<'meridian.queue.delete.v1', DeleteQueue>;

export type ReservationCommand =
  | Typed<'meridian.reservation.accept.v1', AcceptReservation>
  | Typed<'meridian.reservation.reject.v1', RejectReservation>;

/** Every request that the edge accepts. */
export type DomainCommand =
  | AgentCommand
  | ContactCommand
  | DrillCommand
  | FailoverCommand
  | PrivacyCommand
  | QueueCommand
  | ReservationCommand;

