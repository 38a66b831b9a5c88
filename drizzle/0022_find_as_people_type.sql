-- How q finds movies is in docs/decisions/0019-finding-as-people-type.md.
-- A word, and what is left of it without any one letter. Two words are nearly the same if they share one of these.
CREATE FUNCTION search_forms(word text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN word || array(SELECT overlay(word PLACING '' FROM place FOR 1) FROM generate_series(1, char_length(word)) AS place);
END $$;--> statement-breakpoint
CREATE TABLE "known_words" (
	"word" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "known_words_word_idx" ON "known_words" USING btree ("word");--> statement-breakpoint
CREATE INDEX "known_words_forms_idx" ON "known_words" USING gin (search_forms("word")) WITH (fastupdate=false);--> statement-breakpoint
-- Two statements may learn one word at once, and neither waits for the other: a word that is known twice does no harm.
CREATE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO known_words (word)
    SELECT new_word FROM unnest(tsvector_to_array(NEW.title_words)) AS new_word
    WHERE char_length(new_word) BETWEEN 2 AND 30
      AND NOT EXISTS (SELECT FROM known_words WHERE known_words.word = new_word);
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER movies_learn_inserted AFTER INSERT ON movies FOR EACH ROW EXECUTE FUNCTION learn_words();--> statement-breakpoint
CREATE TRIGGER movies_learn_updated AFTER UPDATE ON movies FOR EACH ROW
  WHEN (OLD.title_words IS DISTINCT FROM NEW.title_words) EXECUTE FUNCTION learn_words();--> statement-breakpoint
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_learn_inserted;--> statement-breakpoint
ALTER TABLE "movies" ENABLE ALWAYS TRIGGER movies_learn_updated;--> statement-breakpoint
-- A text without what separates its words, to be compared as a whole.
CREATE FUNCTION search_letters(content text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN left(replace(replace(search_text(content), '&', 'and'), ' ', ''), 500);
END $$;--> statement-breakpoint
-- A word of q; the last one may be begun only, if it has two letters or more. A title has "and" as "&" too.
CREATE FUNCTION search_word(word text, is_last boolean) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN ('''' || word || CASE WHEN is_last AND char_length(word) > 1 THEN ''':*' ELSE '''' END
    || CASE word WHEN 'and' THEN ' | ''&''' ELSE '' END)::tsquery;
END $$;--> statement-breakpoint
CREATE FUNCTION search_begun(q text) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  words text[] := search_list(q);
  places int := cardinality(words);
  found tsquery := search_word(words[places], true);
BEGIN
  FOR place IN 1 .. places - 1 LOOP
    IF array_position(words, words[place]) = place THEN
      found := search_word(words[place], false) && found;
    END IF;
  END LOOP;
  RETURN found;
END $$;--> statement-breakpoint
-- The same letters with other spaces: a word written together with the one before or after it, in two parts, or letter by letter.
CREATE FUNCTION search_apart(word text, before text, after text) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  forms text[];
BEGIN
  IF char_length(before || word) <= 60 THEN
    forms := forms || ('''' || before || word || '''');
  END IF;
  IF char_length(word || after) <= 60 THEN
    forms := forms || ('''' || word || after || '''');
  END IF;
  IF char_length(word) BETWEEN 2 AND 30 THEN
    forms := forms || array(SELECT '''' || left(word, at) || ''' & ''' || substr(word, at + 1) || ''''
      FROM generate_series(1, char_length(word) - 1) AS at);
  END IF;
  IF char_length(word) BETWEEN 3 AND 6 THEN
    forms := forms || ('''' || array_to_string(string_to_array(word, NULL), ''' & ''') || '''');
  END IF;
  RETURN array_to_string(forms, ' | ')::tsquery;
END $$;--> statement-breakpoint
-- For the titles that are written nearly like q. Of each word: how a title has it, how it has it nearly, and its letters; and
-- the titles that have all words, or all but a short one, in either way.
CREATE FUNCTION search_nearly(q text,
  OUT candidates tsquery, OUT words tsquery[], OUT near tsquery[], OUT letters int[], OUT all_letters int)
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  list text[] := search_list(q);
  places int := cardinality(list);
  asked text;
  found tsquery;
  alike tsquery;
  either tsquery;
  all_short tsquery;
  all_short_but_one tsquery;
BEGIN
  all_letters := char_length(array_to_string(list, ''));
  FOR place IN 1 .. places LOOP
    asked := list[place];
    found := search_word(asked, place = places);
    found := coalesce(found || search_apart(asked, list[place - 1], list[place + 1]), found);
    alike := NULL;
    IF char_length(asked) BETWEEN 3 AND 30 THEN
      SELECT string_agg('''' || word || '''', ' | ')::tsquery INTO alike FROM (
        SELECT word FROM known_words WHERE search_forms(word) && search_forms(asked)
        GROUP BY word ORDER BY abs(char_length(word) - char_length(asked)), word LIMIT 200) AS known;
    END IF;
    either := coalesce(found || alike, found);
    words := words || found;
    near := near || alike;
    letters := letters || char_length(asked);
    IF places > 8 OR char_length(asked) > all_letters / 3 THEN
      candidates := coalesce(candidates && either, either);
    ELSE
      all_short_but_one := coalesce(all_short_but_one && either || all_short, either || all_short);
      all_short := coalesce(all_short && either, either);
    END IF;
  END LOOP;
  candidates := coalesce(candidates && all_short_but_one, candidates, all_short_but_one);
END $$;
