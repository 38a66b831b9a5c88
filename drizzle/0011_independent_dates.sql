-- The year of a movie and of its release date may differ. A later migration checks the
-- rows that are there, next to writers.
ALTER TABLE "movies" DROP CONSTRAINT "movies_release_date_check";--> statement-breakpoint
ALTER TABLE "movies" ADD CONSTRAINT "movies_release_date_check" CHECK (extract(year from "movies"."release_date") between 1888 and 9999) NOT VALID;
