-- The same words as before: PostgreSQL plans the body of an SQL function again for each statement that calls it, which
-- was more than half of what adding a film costs; those in PL/pgSQL are planned once a session. Each keeps the path on
-- which it finds unaccent, because a restore runs them with an empty one; search_text has it from its callers.
CREATE OR REPLACE FUNCTION search_text(content text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN translate(
    unaccent('unaccent'::regdictionary, lower(normalize(content, NFC) COLLATE "und-x-icu")),
    '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_words(content text) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN to_tsvector('simple'::regconfig, search_text(content));
END $$;--> statement-breakpoint
-- A name a line, so that no word of one name runs into the next.
CREATE OR REPLACE FUNCTION search_words(names text[]) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN to_tsvector('simple'::regconfig, search_text(array_to_string(names, E'\n')));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_query(words text) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN plainto_tsquery('simple'::regconfig, search_text(words));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION genre_keys(genres text[]) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  keys text[] := '{}';
  genre text;
BEGIN
  FOREACH genre IN ARRAY genres LOOP
    keys := keys || btrim(normalize(lower(normalize(genre, NFC) COLLATE "und-x-icu"), NFC));
  END LOOP;
  RETURN keys;
END $$;--> statement-breakpoint
DROP FUNCTION genre_key(text);
