-- Nobody writes films while they are counted anew. What an earlier version reads, the sum of all rows, stays right.
LOCK TABLE "movies" IN SHARE MODE;--> statement-breakpoint
DELETE FROM "movie_counts";--> statement-breakpoint
ALTER TABLE "movie_counts" DROP CONSTRAINT "movie_counts_pkey";--> statement-breakpoint
ALTER TABLE "movie_counts" ADD COLUMN "first_id" bigint NOT NULL;--> statement-breakpoint
ALTER TABLE "movie_counts" ADD CONSTRAINT "movie_counts_first_id_slot_pk" PRIMARY KEY("first_id","slot");--> statement-breakpoint
INSERT INTO "movie_counts" ("first_id", "slot", "movies") SELECT id - id % 100000, 0, count(*) FROM "movies" GROUP BY 1;--> statement-breakpoint
-- Blocks in the order of their ids, so that two statements never wait for each other in turn.
CREATE OR REPLACE FUNCTION count_movies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    DELETE FROM movie_counts;
    RETURN NULL;
  END IF;
  INSERT INTO movie_counts AS counts (first_id, slot, movies)
    SELECT id - id % 100000, pg_backend_pid() % 16, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
    FROM changed GROUP BY 1 ORDER BY 1
    ON CONFLICT (first_id, slot) DO UPDATE SET movies = counts.movies + excluded.movies;
  RETURN NULL;
END $$;
