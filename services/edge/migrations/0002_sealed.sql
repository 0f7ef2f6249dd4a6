CREATE TABLE "sealed" (
	"tenant" text NOT NULL,
	"key_id" text NOT NULL,
	"home" text NOT NULL,
	"stream" text NOT NULL,
	"sequence" bigint NOT NULL,
	"index" integer NOT NULL,
	"entity" text NOT NULL,
	"subject" text NOT NULL,
	"correlation_id" text NOT NULL,
	CONSTRAINT "sealed_tenant_key_id_stream_sequence_index_pk" PRIMARY KEY("tenant","key_id","stream","sequence","index")
);
--> statement-breakpoint
CREATE INDEX "sealed_by_subject" ON "sealed" USING btree ("tenant","entity","subject");
--> statement-breakpoint
CREATE INDEX "sealed_by_chain" ON "sealed" USING btree ("tenant","correlation_id");
