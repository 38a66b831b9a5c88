-- The same forms, made without a query.
CREATE OR REPLACE FUNCTION search_forms(word text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  forms text[] := ARRAY[word];
BEGIN
  FOR place IN 1 .. char_length(word) LOOP
    forms := forms || overlay(word PLACING '' FROM place FOR 1);
  END LOOP;
  RETURN forms;
END $$;--> statement-breakpoint
-- For the titles that are written nearly like q, as before, with less to look for: words joined or parted only where titles have
-- them, no parts of a short word that titles have, no short word begun, nothing near a word of three letters that may be missing, and words that may
-- be missing without each way to choose one.
CREATE OR REPLACE FUNCTION search_nearly(q text,
  OUT candidates tsquery, OUT words tsquery[], OUT near tsquery[], OUT letters int[], OUT all_letters int)
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  list text[] := search_list(q);
  places int := cardinality(list);
  most int;
  asked text;
  size int;
  parts text[];
  known text[];
  found text;
  apart text;
  forms text[];
  alike text;
  either tsquery;
  short int := 0;
  thirds tsquery[] := ARRAY[NULL, NULL, NULL]::tsquery[];
BEGIN
  all_letters := char_length(array_to_string(list, ''));
  most := all_letters / 3;
  known := array(SELECT DISTINCT word FROM known_words WHERE word = ANY (list));
  FOR place IN 1 .. places LOOP
    asked := list[place];
    size := char_length(asked);
    parts := parts || (asked || list[place + 1]);
    IF size BETWEEN 4 AND 30 AND (size > 6 OR asked <> ALL (known)) THEN
      FOR at IN 2 .. size - 1 LOOP
        parts := parts || left(asked, at) || right(asked, at);
      END LOOP;
    END IF;
  END LOOP;
  parts := array(SELECT DISTINCT word FROM known_words WHERE word = ANY (parts)) || 'and'::text;
  FOR place IN 1 .. places LOOP
    asked := list[place];
    size := char_length(asked);
    found := search_word(asked, place = places AND size > 3);
    apart := '';
    IF list[place - 1] || asked = ANY (parts) THEN
      apart := apart || ' | ''' || list[place - 1] || asked || '''';
    END IF;
    IF asked || list[place + 1] = ANY (parts) THEN
      apart := apart || ' | ''' || asked || list[place + 1] || '''';
    END IF;
    IF size BETWEEN 2 AND 30 AND (size > 6 OR asked <> ALL (known)) THEN
      FOR at IN 1 .. size - 1 LOOP
        IF (at = 1 OR left(asked, at) = ANY (parts)) AND (at = size - 1 OR substr(asked, at + 1) = ANY (parts)) THEN
          apart := apart || ' | ''' || left(asked, at) || ''' & ''' || substr(asked, at + 1) || '''';
        END IF;
      END LOOP;
    END IF;
    IF size BETWEEN 3 AND 6 THEN
      apart := apart || ' | ''' || array_to_string(string_to_array(asked, NULL), ''' & ''') || '''';
    END IF;
    found := found || replace(apart, '''and''', '(''and'' | ''&'')');
    alike := NULL;
    IF size BETWEEN 3 AND 30 AND (size > 3 OR size > most) THEN
      forms := search_forms(asked);
      SELECT string_agg('''' || word || '''', ' | ') INTO alike FROM (
        SELECT word FROM known_words WHERE search_forms(word) && forms
        GROUP BY word ORDER BY abs(char_length(word) - size), word LIMIT 200) AS near_word;
      IF forms && ARRAY['and', 'nd', 'ad', 'an'] THEN
        alike := coalesce(alike || ' | ''&''', '''&''');
      END IF;
    END IF;
    words := words || found::tsquery;
    near := near || alike::tsquery;
    letters := letters || size;
    either := coalesce(found || ' | ' || alike, found);
    -- One of the others may be missing, so two of three groups of them are complete.
    IF size > most OR all_letters - size < 6 THEN
      candidates := coalesce(candidates && either, either);
    ELSE
      thirds[short % 3 + 1] := coalesce(thirds[short % 3 + 1] && either, either);
      short := short + 1;
    END IF;
  END LOOP;
  either := CASE
    WHEN short > 2 THEN (thirds[1] && thirds[2]) || (thirds[1] && thirds[3]) || (thirds[2] && thirds[3])
    WHEN short = 2 THEN thirds[1] || thirds[2]
  END;
  candidates := coalesce(candidates && either, candidates, either);
END $$;--> statement-breakpoint
DROP FUNCTION search_apart(text, text, text);
