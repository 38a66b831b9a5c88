-- The check lets in more than before, so the previous release goes on beside this one. A later migration
-- checks the rows that are there, next to writers.
CREATE TABLE "audit_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"actor_id" bigint,
	"actor_name" text,
	"action" text NOT NULL,
	"subject_kind" text NOT NULL,
	"subject_id" bigint,
	"subject_name" text NOT NULL,
	"detail" json DEFAULT '{}'::json NOT NULL,
	"request_id" text
);
--> statement-breakpoint
ALTER TABLE "users_permissions" DROP CONSTRAINT "users_permissions_permission_check";--> statement-breakpoint
CREATE INDEX "audit_events_at_idx" ON "audit_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "audit_events_actor_idx" ON "audit_events" USING btree ("actor_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_action_idx" ON "audit_events" USING btree ("action","id");--> statement-breakpoint
CREATE INDEX "audit_events_subject_idx" ON "audit_events" USING btree ("subject_kind","subject_id","id");--> statement-breakpoint
ALTER TABLE "users_permissions" ADD CONSTRAINT "users_permissions_permission_check" CHECK ("users_permissions"."permission" in ('movies:read', 'movies:write', 'admin')) NOT VALID;