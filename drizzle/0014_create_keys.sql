CREATE TABLE "keys" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "keys_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" bigint NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_on" date,
	CONSTRAINT "keys_name_check" CHECK (char_length("keys"."name") between 1 and 100)
);
--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "keys_hash_key" ON "keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "keys_user_id_idx" ON "keys" USING btree ("user_id");--> statement-breakpoint
-- Every instance forgets what it knew of a user whose keys change; the date of the last use is no such change.
CREATE TRIGGER keys_notify AFTER INSERT OR DELETE OR UPDATE OF user_id, hash ON keys
  FOR EACH ROW EXECUTE FUNCTION notify_principal();--> statement-breakpoint
CREATE TRIGGER keys_notify_truncate AFTER TRUNCATE ON keys
  FOR EACH STATEMENT EXECUTE FUNCTION notify_principals();--> statement-breakpoint
ALTER TABLE "keys" ENABLE ALWAYS TRIGGER keys_notify;--> statement-breakpoint
ALTER TABLE "keys" ENABLE ALWAYS TRIGGER keys_notify_truncate;
