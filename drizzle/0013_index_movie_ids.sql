CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "movies_imdb_id_key" ON "movies" USING btree ("imdb_id") WHERE "movies"."imdb_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "movies_external_id_key" ON "movies" USING btree ("external_id") WHERE "movies"."external_id" is not null;--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "movies_runtime_desc_nulls_last_idx" ON "movies" USING btree ("runtime" DESC NULLS LAST,"id");--> statement-breakpoint
ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_release_date_check";--> statement-breakpoint
ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_genres_check";--> statement-breakpoint
ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_poster_check";--> statement-breakpoint
ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_imdb_id_check";--> statement-breakpoint
ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_external_id_check";
