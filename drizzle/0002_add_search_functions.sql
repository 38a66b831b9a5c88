-- Full text ignores case and accents; the index needs functions that are immutable, which unaccent(text) is not.
-- Punctuation parts words here: PostgreSQL's parser would take Face/Off for a path and Apollo-13 for a negative number.
CREATE EXTENSION IF NOT EXISTS unaccent;--> statement-breakpoint
CREATE FUNCTION search_text(content text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN translate(
    unaccent('unaccent'::regdictionary, lower(normalize(content, NFC) COLLATE "und-x-icu")),
    '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32));--> statement-breakpoint
CREATE FUNCTION search_words(content text) RETURNS tsvector
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN to_tsvector('simple'::regconfig, search_text(content));--> statement-breakpoint
-- A name a line, so that no word of one name runs into the next.
CREATE FUNCTION search_words(names text[]) RETURNS tsvector
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN search_words((SELECT string_agg(name, E'\n') FROM unnest(names) AS name));--> statement-breakpoint
CREATE FUNCTION search_query(words text) RETURNS tsquery
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN plainto_tsquery('simple'::regconfig, search_text(words));--> statement-breakpoint
CREATE FUNCTION genre_key(genre text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN btrim(normalize(lower(normalize(genre, NFC) COLLATE "und-x-icu"), NFC));--> statement-breakpoint
CREATE FUNCTION genre_keys(genres text[]) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (SELECT array_agg(genre_key(genre) ORDER BY place) FROM unnest(genres) WITH ORDINALITY AS t(genre, place));--> statement-breakpoint
-- Two titles with one key are one title. Upper before lower folds what lower case alone keeps apart (ß and SS, ς and σ).
CREATE FUNCTION title_key(title text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN normalize(
    lower(upper(normalize(regexp_replace(title, '[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+', ' ', 'g'), NFC) COLLATE "und-x-icu") COLLATE "und-x-icu"),
    NFC);--> statement-breakpoint
INSERT INTO users (id, name, activated) OVERRIDING SYSTEM VALUE VALUES (1, 'Redlight', false);
