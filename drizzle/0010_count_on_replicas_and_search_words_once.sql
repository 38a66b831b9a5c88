-- Triggers that keep data true fire for replicated rows too (session_replication_role = replica).
ALTER TABLE "users" ENABLE ALWAYS TRIGGER users_notify;--> statement-breakpoint
ALTER TABLE "users_permissions" ENABLE ALWAYS TRIGGER users_permissions_notify;--> statement-breakpoint
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_count_insert;--> statement-breakpoint
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_count_delete;--> statement-breakpoint
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_count_truncate;--> statement-breakpoint
-- The path on which they find movie_counts: that of a worker of the replication is empty.
ALTER FUNCTION count_movies() SET search_path FROM CURRENT;--> statement-breakpoint
-- The worker that applies what was replicated fires row triggers only, so it counts row by row. Statements in the same
-- role, such as the COPY of a subscription's start, are counted as a whole: the mark holds the row trigger back.
CREATE FUNCTION mark_counted_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('redlight.counts_statement', CASE TG_WHEN WHEN 'BEFORE' THEN 'on' ELSE '' END, true);
  RETURN NULL;
END $$;--> statement-breakpoint
-- A hundred slots, as rows of one transaction that update a single one take longer with each.
CREATE FUNCTION count_replicated_movie() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  movie bigint := CASE TG_OP WHEN 'INSERT' THEN NEW.id ELSE OLD.id END;
  change bigint := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
  INSERT INTO movie_counts AS counts (first_id, slot, movies)
    VALUES (movie - movie % 100000, 16 + movie % 100, change)
    ON CONFLICT (first_id, slot) DO UPDATE SET movies = counts.movies + excluded.movies;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER movies_count_begin BEFORE INSERT OR DELETE ON movies
  FOR EACH STATEMENT EXECUTE FUNCTION mark_counted_statement();--> statement-breakpoint
CREATE TRIGGER movies_count_row AFTER INSERT OR DELETE ON movies
  FOR EACH ROW WHEN (current_setting('redlight.counts_statement', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION count_replicated_movie();--> statement-breakpoint
-- After the other statement triggers, which fire in the order of their names.
CREATE TRIGGER movies_count_over AFTER INSERT OR DELETE ON movies
  FOR EACH STATEMENT EXECUTE FUNCTION mark_counted_statement();--> statement-breakpoint
ALTER TABLE "movies" ENABLE REPLICA TRIGGER movies_count_begin;--> statement-breakpoint
ALTER TABLE "movies" ENABLE REPLICA TRIGGER movies_count_row;--> statement-breakpoint
ALTER TABLE "movies" ENABLE REPLICA TRIGGER movies_count_over;--> statement-breakpoint
-- Rights that go with a whole table are announced as everybody's; an earlier version takes "all" for nobody's number.
CREATE FUNCTION notify_principals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('redlight_principal', 'all');
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER users_notify_truncate AFTER TRUNCATE ON users
  FOR EACH STATEMENT EXECUTE FUNCTION notify_principals();--> statement-breakpoint
CREATE TRIGGER users_permissions_notify_truncate AFTER TRUNCATE ON users_permissions
  FOR EACH STATEMENT EXECUTE FUNCTION notify_principals();--> statement-breakpoint
ALTER TABLE "users" ENABLE ALWAYS TRIGGER users_notify_truncate;--> statement-breakpoint
ALTER TABLE "users_permissions" ENABLE ALWAYS TRIGGER users_permissions_notify_truncate;--> statement-breakpoint
-- Each word once: a word that is repeated finds nothing else, and is looked for again in every film. Words hold no
-- quotation mark, which search_text has made a space.
CREATE OR REPLACE FUNCTION search_query(words text) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT string_agg('''' || word || '''', ' & ')::tsquery FROM unnest(tsvector_to_array(search_words(words))) AS word);
END $$;
