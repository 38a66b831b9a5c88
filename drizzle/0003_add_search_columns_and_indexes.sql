CREATE TABLE "movie_counts" (
	"slot" integer PRIMARY KEY NOT NULL,
	"movies" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "title_words" "tsvector" GENERATED ALWAYS AS (search_words(title)) STORED;--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "director_words" "tsvector" GENERATED ALWAYS AS (search_words(director)) STORED;--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "cast_words" "tsvector" GENERATED ALWAYS AS (search_words("cast")) STORED;--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "genre_keys" text[] GENERATED ALWAYS AS (genre_keys(genres)) STORED;--> statement-breakpoint
CREATE UNIQUE INDEX "movies_title_key" ON "movies" USING btree (title_key("title"));--> statement-breakpoint
CREATE INDEX "movies_search_idx" ON "movies" USING gin ("title_words","genre_keys","director_words","cast_words");--> statement-breakpoint
CREATE INDEX "movies_created_by_idx" ON "movies" USING btree ("created_by","id");--> statement-breakpoint
CREATE INDEX "movies_title_idx" ON "movies" USING btree ("title" collate "und-x-icu","id");--> statement-breakpoint
CREATE INDEX "movies_year_idx" ON "movies" USING btree ("year","id");--> statement-breakpoint
CREATE INDEX "movies_year_desc_idx" ON "movies" USING btree ("year" DESC NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "movies_runtime_idx" ON "movies" USING btree ("runtime","id");--> statement-breakpoint
CREATE INDEX "movies_runtime_desc_idx" ON "movies" USING btree ("runtime" DESC NULLS FIRST,"id");--> statement-breakpoint
CREATE INDEX "movies_release_date_idx" ON "movies" USING btree ("release_date","id");--> statement-breakpoint
CREATE INDEX "movies_release_date_desc_idx" ON "movies" USING btree ("release_date" DESC NULLS LAST,"id");