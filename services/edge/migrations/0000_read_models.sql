CREATE TABLE "contacts" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"home" text NOT NULL,
	"state" text NOT NULL,
	"channel" text NOT NULL,
	"method" text NOT NULL,
	"queue_id" text,
	"priority" integer NOT NULL,
	"agent_id" text,
	"reservation_id" text,
	"initiated_at" timestamp (3) with time zone NOT NULL,
	"queued_at" timestamp (3) with time zone,
	"connected_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"waited_ms" double precision,
	"disposition" text,
	"attributes" jsonb NOT NULL,
	"last_sequence" bigint NOT NULL,
	"revision" integer NOT NULL,
	CONSTRAINT "contacts_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "timeline" (
	"tenant" text NOT NULL,
	"contact_id" text NOT NULL,
	"stream" text NOT NULL,
	"sequence" bigint NOT NULL,
	"index" integer NOT NULL,
	"type" text NOT NULL,
	"time" timestamp (3) with time zone NOT NULL,
	"subject" text NOT NULL,
	"event" text NOT NULL,
	CONSTRAINT "timeline_tenant_contact_id_stream_sequence_index_pk" PRIMARY KEY("tenant","contact_id","stream","sequence","index")
);
--> statement-breakpoint
CREATE TABLE "agents" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"presence" text NOT NULL,
	"reason" text,
	"presence_since" timestamp (3) with time zone,
	"session_id" text,
	"signed_in_at" timestamp (3) with time zone,
	"signing_out" boolean NOT NULL,
	"skills" jsonb NOT NULL,
	"capacities" jsonb NOT NULL,
	"open" jsonb NOT NULL,
	"idle_since" timestamp (3) with time zone,
	"last_sequence" bigint NOT NULL,
	CONSTRAINT "agents_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "queues" (
	"tenant" text NOT NULL,
	"id" text NOT NULL,
	"settings" jsonb,
	"deleted_at" timestamp (3) with time zone,
	"queued" integer NOT NULL,
	"answered" integer NOT NULL,
	"answered_within_service_level" integer NOT NULL,
	"abandoned" integer NOT NULL,
	"reaped" integer NOT NULL,
	"sum_wait_ms" double precision NOT NULL,
	"last_sequence" bigint NOT NULL,
	CONSTRAINT "queues_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE INDEX "contacts_by_time" ON "contacts" USING btree ("tenant","initiated_at","id");--> statement-breakpoint
CREATE INDEX "contacts_waiting" ON "contacts" USING btree ("tenant","queue_id","queued_at") WHERE state in ('QUEUED', 'OFFERED');