ALTER TABLE "mails" VALIDATE CONSTRAINT "mails_kind_check";--> statement-breakpoint
ALTER TABLE "tokens" VALIDATE CONSTRAINT "tokens_scope_check";
