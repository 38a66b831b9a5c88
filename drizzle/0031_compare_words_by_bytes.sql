-- The same words, found by indexes that compare bytes: the order of a language takes several times as long, for each form of a
-- word that is added or looked for.
CREATE OR REPLACE FUNCTION learn_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.known_words (word)
    SELECT new_word FROM unnest(tsvector_to_array(NEW.title_words)) AS new_word
    WHERE char_length(new_word) BETWEEN 2 AND 30
      AND NOT EXISTS (SELECT FROM public.known_words AS known WHERE known.word COLLATE "C" = new_word);
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION learn_inserted_words() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO public.known_words (word)
    SELECT word FROM (SELECT DISTINCT unnest(tsvector_to_array(title_words)) COLLATE "C" AS word FROM inserted) AS words
    WHERE char_length(word) BETWEEN 2 AND 30
      AND (SELECT true FROM public.known_words AS known WHERE known.word COLLATE "C" = words.word LIMIT 1) IS NULL;
  RETURN NULL;
END $$;--> statement-breakpoint
-- Of a word letter by letter, the index of movies is asked for two letters that few titles have by themselves.
CREATE OR REPLACE FUNCTION search_nearly(q text,
  OUT candidates tsquery, OUT words tsquery[], OUT near tsquery[], OUT letters int[], OUT all_letters int)
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
  list text[] := public.search_list(q);
  places int := cardinality(list);
  longest int[] := '{}';
  most int;
  asked text;
  size int;
  parts text[];
  known text[];
  found text;
  forms text[];
  close text[];
  alike text;
  either text;
  needed text[];
  short int := 0;
  thirds text[];
  rare text;
BEGIN
  all_letters := char_length(array_to_string(list, ''));
  most := all_letters / 3;
  IF places > 3 THEN
    longest := array(SELECT min(place) FROM unnest(list) WITH ORDINALITY AS listed (word, place)
      WHERE char_length(word) > 3 GROUP BY word ORDER BY char_length(word) DESC, min(place) LIMIT 3);
  END IF;
  known := array(SELECT word FROM public.known_words WHERE word COLLATE "C" = ANY (list));
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
  parts := array(SELECT word FROM public.known_words WHERE word COLLATE "C" = ANY (parts)) || 'and'::text;
  FOR place IN 1 .. places LOOP
    asked := list[place];
    size := char_length(asked);
    found := CASE
      WHEN place = places AND size > 3 THEN '''' || asked || ''':*'
      WHEN size NOT BETWEEN 2 AND 30 OR asked = 'and' OR asked = ANY (known) THEN '''' || asked || ''''
    END;
    IF list[place - 1] || asked = ANY (parts) THEN
      found := concat_ws(' | ', found, '''' || list[place - 1] || asked || '''');
    END IF;
    IF asked || list[place + 1] = ANY (parts) THEN
      found := concat_ws(' | ', found, '''' || asked || list[place + 1] || '''');
    END IF;
    IF size BETWEEN 2 AND 30 AND (size > 6 OR asked <> ALL (known)) THEN
      FOR at IN 1 .. size - 1 LOOP
        IF (at = 1 OR left(asked, at) = ANY (parts)) AND (at = size - 1 OR substr(asked, at + 1) = ANY (parts)) THEN
          found := concat_ws(' | ', found, '''' || left(asked, at) || ''' & ''' || substr(asked, at + 1) || '''');
        END IF;
      END LOOP;
    END IF;
    found := replace(found, '''and''', '(''and'' | ''&'')');
    alike := NULL;
    IF size BETWEEN 3 AND 30 AND (size > 3 OR size > most) THEN
      forms := public.search_forms(asked);
      close := array(SELECT word FROM public.known_words WHERE public.search_forms(word) COLLATE "C" && forms LIMIT 201);
      IF cardinality(close) > 200 THEN
        close := array(SELECT word FROM public.known_words WHERE public.search_forms(word) COLLATE "C" && forms
          GROUP BY word ORDER BY abs(char_length(word) - size), word COLLATE "C" LIMIT 200);
      END IF;
      IF forms && ARRAY['and', 'nd', 'ad', 'an'] THEN
        close := close || '&'::text;
      END IF;
      alike := '''' || nullif(array_to_string(array_remove(close, asked), ''' | '''), '') || '''';
    END IF;
    near := near || alike::tsquery;
    letters := letters || size;
    IF size BETWEEN 3 AND 6 THEN
      words := words || concat_ws(' | ', found, '''' || array_to_string(string_to_array(asked, NULL), ''' & ''') || '''')::tsquery;
      -- Two of the letters find few titles without the others, and are rare if neither is a word of many titles by itself.
      rare := translate(asked, 'ai', '') || asked;
      found := concat_ws(' | ', found, '''' || left(rare, 1) || ''' & ''' || substr(rare, 2, 1) || '''');
    ELSE
      words := words || found::tsquery;
    END IF;
    -- One of the others may be missing, so two of three groups of them are complete.
    IF place = ANY (longest) OR cardinality(longest) < 3 THEN
      either := '(' || coalesce(nullif(concat_ws(' | ', found, alike), ''), '''' || asked || '''') || ')';
      IF size > most OR all_letters - size < 6 THEN
        needed := needed || either;
      ELSE
        thirds[short % 3 + 1] := concat_ws(' & ', thirds[short % 3 + 1], either);
        short := short + 1;
      END IF;
    END IF;
  END LOOP;
  candidates := nullif(array_to_string(needed || CASE cardinality(thirds)
    WHEN 2 THEN '(' || thirds[1] || ' | ' || thirds[2] || ')'
    WHEN 3 THEN '(' || thirds[1] || ' & (' || thirds[2] || ' | ' || thirds[3] || ') | ' || thirds[2] || ' & ' || thirds[3] || ')'
  END, ' & '), '')::tsquery;
END $$;--> statement-breakpoint
DROP INDEX "known_words_word_idx";--> statement-breakpoint
DROP INDEX "known_words_forms_idx";--> statement-breakpoint
ALTER INDEX "known_words_word_bytes_idx" RENAME TO "known_words_word_idx";--> statement-breakpoint
ALTER INDEX "known_words_forms_bytes_idx" RENAME TO "known_words_forms_idx";
