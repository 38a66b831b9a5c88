INSERT INTO movie_counts (slot, movies) SELECT slot, CASE slot WHEN 0 THEN (SELECT count(*) FROM movies) ELSE 0 END FROM generate_series(0, 15) AS slot;--> statement-breakpoint
-- Once per statement, not per row: a delete of 20,000 films is one update here.
CREATE FUNCTION count_movies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE change bigint;
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    UPDATE movie_counts SET movies = 0;
    RETURN NULL;
  END IF;
  SELECT CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END INTO change FROM changed;
  IF change <> 0 THEN
    UPDATE movie_counts SET movies = movies + change WHERE slot = pg_backend_pid() % 16;
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER movies_count_insert AFTER INSERT ON movies REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_movies();--> statement-breakpoint
CREATE TRIGGER movies_count_delete AFTER DELETE ON movies REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_movies();--> statement-breakpoint
CREATE TRIGGER movies_count_truncate AFTER TRUNCATE ON movies
  FOR EACH STATEMENT EXECUTE FUNCTION count_movies();--> statement-breakpoint
-- Every instance forgets what it knew of a user whose rights change, whoever changes them.
CREATE FUNCTION notify_principal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'users' THEN
    PERFORM pg_notify('redlight_principal', OLD.id::text);
  ELSE
    PERFORM pg_notify('redlight_principal', coalesce(NEW.user_id, OLD.user_id)::text);
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER users_notify AFTER UPDATE OF activated, token_generation, name, username OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION notify_principal();--> statement-breakpoint
CREATE TRIGGER users_permissions_notify AFTER INSERT OR UPDATE OR DELETE ON users_permissions
  FOR EACH ROW EXECUTE FUNCTION notify_principal();
