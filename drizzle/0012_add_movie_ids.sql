-- Of an imported movie the runtime and the genres may be unknown. A later migration checks the
-- rows that are there, next to writers.
ALTER TABLE "movies" DROP CONSTRAINT "movies_genres_check";--> statement-breakpoint
ALTER TABLE "movies" ALTER COLUMN "runtime" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "poster" text;--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "imdb_id" text;--> statement-breakpoint
ALTER TABLE "movies" ADD COLUMN "external_id" text;--> statement-breakpoint
ALTER TABLE "movies" ADD CONSTRAINT "movies_poster_check" CHECK (char_length("movies"."poster") between 1 and 2000) NOT VALID;--> statement-breakpoint
ALTER TABLE "movies" ADD CONSTRAINT "movies_imdb_id_check" CHECK ("movies"."imdb_id" ~ '^tt([0-9]{7}|[1-8][0-9]{7})$') NOT VALID;--> statement-breakpoint
ALTER TABLE "movies" ADD CONSTRAINT "movies_external_id_check" CHECK (char_length("movies"."external_id") between 1 and 200 and "movies"."external_id" !~ '[/\\]') NOT VALID;--> statement-breakpoint
ALTER TABLE "movies" ADD CONSTRAINT "movies_genres_check" CHECK (cardinality("movies"."genres") between 0 and 5) NOT VALID;
