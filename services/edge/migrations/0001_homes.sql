-- Rows for every home, not one region's alone. What is here is made anew from the log.
TRUNCATE "contacts", "timeline", "agents", "queues";
--> statement-breakpoint
DELETE FROM "checkpoints" WHERE "name" = 'edge';
--> statement-breakpoint
ALTER TABLE "contacts" ADD COLUMN "last_stream" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "contacts" DROP CONSTRAINT "contacts_tenant_id_pk";
--> statement-breakpoint
ALTER TABLE "contacts" ADD CONSTRAINT "contacts_tenant_id_home_pk" PRIMARY KEY("tenant","id","home");
--> statement-breakpoint
CREATE INDEX "contacts_open" ON "contacts" USING btree ("home","state") WHERE state not in ('COMPLETED', 'ABANDONED', 'CANCELED', 'FAILED');
--> statement-breakpoint
ALTER TABLE "timeline" ADD COLUMN "home" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "agents" ADD COLUMN "home" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "agents" ADD COLUMN "last_stream" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "agents" DROP CONSTRAINT "agents_tenant_id_pk";
--> statement-breakpoint
ALTER TABLE "agents" ADD CONSTRAINT "agents_tenant_id_home_pk" PRIMARY KEY("tenant","id","home");
--> statement-breakpoint
ALTER TABLE "queues" ADD COLUMN "home" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "queues" ADD COLUMN "last_stream" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "queues" DROP CONSTRAINT "queues_tenant_id_pk";
--> statement-breakpoint
ALTER TABLE "queues" ADD CONSTRAINT "queues_tenant_id_home_pk" PRIMARY KEY("tenant","id","home");
