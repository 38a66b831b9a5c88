-- A title's "&" is "and" also where q has only begun it, writes it together with another word, or mistypes it.
CREATE OR REPLACE FUNCTION search_word(word text, is_last boolean) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN ('''' || word || CASE WHEN is_last AND char_length(word) > 1 THEN ''':*' ELSE '''' END
    || CASE WHEN word = 'and' OR is_last AND word = 'an' THEN ' | ''&''' ELSE '' END)::tsquery;
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_apart(word text, before text, after text) RETURNS tsquery
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
  RETURN replace(array_to_string(forms, ' | '), '''and''', '(''and'' | ''&'')')::tsquery;
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_nearly(q text,
  OUT candidates tsquery, OUT words tsquery[], OUT near tsquery[], OUT letters int[], OUT all_letters int)
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  list text[] := search_list(q);
  places int := cardinality(list);
  asked text;
  forms text[];
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
      forms := search_forms(asked);
      SELECT string_agg('''' || word || '''', ' | ')::tsquery INTO alike FROM (
        SELECT word FROM known_words WHERE search_forms(word) && forms
        GROUP BY word ORDER BY abs(char_length(word) - char_length(asked)), word LIMIT 200) AS known;
      IF forms && search_forms('and') THEN
        alike := coalesce(alike || '''&''', '''&''');
      END IF;
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
