CREATE TABLE "catalogue_versions" (
	"slot" integer PRIMARY KEY NOT NULL,
	"version" bigint NOT NULL
);
--> statement-breakpoint
-- From the clock, in microseconds, so that a restored or promoted database never repeats a version of before.
CREATE FUNCTION next_catalogue_version(version bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
$$;--> statement-breakpoint
INSERT INTO "catalogue_versions" ("slot", "version") SELECT slot, next_catalogue_version(0) FROM generate_series(0, 15) AS slot;--> statement-breakpoint
-- A slot is locked until its transaction ends. Nobody waits for another's: each takes its own, any other that is free,
-- or in the end one of a thousand more, by its connection.
CREATE FUNCTION raise_catalogue_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  own integer := pg_backend_pid() % 16;
BEGIN
  UPDATE catalogue_versions SET version = next_catalogue_version(version)
    WHERE slot = (SELECT slot FROM catalogue_versions WHERE slot = own FOR UPDATE SKIP LOCKED);
  IF FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE catalogue_versions SET version = next_catalogue_version(version)
    WHERE slot = (SELECT slot FROM catalogue_versions WHERE slot < 16 ORDER BY slot FOR UPDATE SKIP LOCKED LIMIT 1);
  IF NOT FOUND THEN
    INSERT INTO catalogue_versions AS versions (slot, version) VALUES (16 + pg_backend_pid() % 1000, next_catalogue_version(0))
      ON CONFLICT (slot) DO UPDATE SET version = next_catalogue_version(versions.version);
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER movies_version AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON movies
  FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version();--> statement-breakpoint
CREATE TRIGGER users_version AFTER UPDATE OF name, username ON users
  FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version();--> statement-breakpoint
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_version;--> statement-breakpoint
ALTER TABLE "users" ENABLE ALWAYS TRIGGER users_version;--> statement-breakpoint
-- The worker that applies what was replicated fires row triggers only. Once a transaction is enough, as rows of one
-- transaction that update a single one take longer with each.
CREATE FUNCTION raise_catalogue_version_once() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF current_setting('redlight.raised_version', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    INSERT INTO catalogue_versions AS versions (slot, version) VALUES (16 + pg_backend_pid() % 1000, next_catalogue_version(0))
      ON CONFLICT (slot) DO UPDATE SET version = next_catalogue_version(versions.version);
    PERFORM set_config('redlight.raised_version', pg_current_xact_id()::text, true);
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER movies_version_row AFTER INSERT OR UPDATE OR DELETE ON movies
  FOR EACH ROW EXECUTE FUNCTION raise_catalogue_version_once();--> statement-breakpoint
CREATE TRIGGER users_version_row AFTER UPDATE ON users
  FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.username IS DISTINCT FROM NEW.username)
  EXECUTE FUNCTION raise_catalogue_version_once();--> statement-breakpoint
ALTER TABLE "movies" ENABLE REPLICA TRIGGER movies_version_row;--> statement-breakpoint
ALTER TABLE "users" ENABLE REPLICA TRIGGER users_version_row;
