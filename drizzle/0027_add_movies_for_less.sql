-- What a word is stays as it is. These functions name the schema of what they call, because looking it up on a path of
-- their own takes longer than reading most texts.
-- As search_text, for texts that are ASCII without their accents, in a fifth of its time.
CREATE FUNCTION search_plain_text(content text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  words text COLLATE "C" := content;
BEGIN
  IF octet_length(words) > char_length(words) THEN
    words := regexp_replace(normalize(words, NFD), '[\u0300-\u036f]', '', 'g');
    IF octet_length(words) > char_length(words) THEN
      RETURN public.search_text(content);
    END IF;
  END IF;
  words := regexp_replace(lower(words), '([$&+])', ' \1 ', 'g');
  RETURN regexp_replace(words, '[\x01-\x1f!"#%''()*,./:;<=>?@\\^_`{|}~\x7f\[\]-]', ' ', 'g');
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_list(content text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  words text[] := array_remove(string_to_array(public.search_plain_text(content), ' '), '');
BEGIN
  IF octet_length(content) <= 500 THEN
    RETURN words;
  END IF;
  RETURN array(SELECT left(word, 500) FROM unnest(words) WITH ORDINALITY AS list (word, place) ORDER BY place);
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_words(content text) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN array_to_tsvector(public.search_list(content));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_words(names text[]) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN array_to_tsvector(public.search_list(array_to_string(names, E'\n')));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_letters(content text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN left(replace(replace(public.search_plain_text(content), '&', 'and'), ' ', ''), 500);
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION genre_keys(genres text[]) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  keys text[] := '{}';
  genre text;
BEGIN
  FOREACH genre IN ARRAY genres LOOP
    IF octet_length(genre) = char_length(genre) THEN
      keys := keys || btrim(lower(genre COLLATE "C"));
    ELSE
      keys := keys || btrim(normalize(lower(normalize(genre, NFC) COLLATE "und-x-icu"), NFC));
    END IF;
  END LOOP;
  RETURN keys;
END $$;--> statement-breakpoint
-- No longer STRICT, or it would be called for each row instead of becoming part of a statement.
CREATE OR REPLACE FUNCTION title_key(title text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN octet_length(title) = char_length(title) THEN lower(regexp_replace(title COLLATE "C", '\s+', ' ', 'g'))
    ELSE normalize(
      lower(upper(normalize(regexp_replace(title COLLATE "C", '[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+', ' ', 'g'), NFC) COLLATE "und-x-icu") COLLATE "und-x-icu"),
      NFC) COLLATE "C"
  END;--> statement-breakpoint
-- Sessions keep the function's old body with the index, until something changes about that.
ALTER INDEX "movies_title_key" RENAME TO "movies_title_key_renamed";--> statement-breakpoint
ALTER INDEX "movies_title_key_renamed" RENAME TO "movies_title_key";--> statement-breakpoint
-- A statement's new words together. The plan must not depend on how many words were known when it was made, as it is kept
-- while they grow: each is looked for by the index.
CREATE FUNCTION learn_inserted_words() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO public.known_words (word)
    SELECT word FROM (SELECT DISTINCT unnest(tsvector_to_array(title_words)) AS word FROM inserted) AS words
    WHERE char_length(word) BETWEEN 2 AND 30
      AND (SELECT true FROM public.known_words AS known WHERE known.word = words.word LIMIT 1) IS NULL;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER movies_learn AFTER INSERT ON movies REFERENCING NEW TABLE AS inserted
  FOR EACH STATEMENT EXECUTE FUNCTION learn_inserted_words();--> statement-breakpoint
-- The worker that applies what was replicated fires row triggers only. Where both fire, the second has nothing to do.
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_learn;--> statement-breakpoint
ALTER TABLE "movies" ENABLE REPLICA TRIGGER movies_learn_inserted;
