-- What a word is no longer depends on the locale or the version of PostgreSQL, as its parser and the rules of unaccent
-- do: white space and punctuation part words; a symbol or emoji is a word, and so is each character of Chinese and
-- Japanese; fractions and the like stand apart from what is next to them. Only "and" is ever looked for as "&"
-- (search_query leaves it out). ASCII, which nearly all texts are, needs a tenth of the work.
CREATE OR REPLACE FUNCTION search_text(content text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  words text COLLATE "C" := content;
BEGIN
  IF octet_length(words) > char_length(words) THEN
    -- Numbers of their own kind, and symbols.
    words := regexp_replace(words, '([\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u218b\u2460-\u249b\u24ea-\u24ff'
      '\u00a2-\u00a6\u00a8\u00a9\u00ac\u00ae-\u00b1\u00b4\u00b8\u00d7\u00f7\u02c2-\u02c5\u02d2-\u02df\u02e5-\u02eb'
      '\u02ed\u02ef-\u02ff\u0375\u0384\u0385\u03f6\u0482\u058d-\u058f\u0606-\u0608\u060b\u060e\u060f\u06de\u06e9'
      '\u06fd\u06fe\u07f6\u07fe\u07ff\u0888\u09f2\u09f3\u09fa\u09fb\u0af1\u0b70\u0bf3-\u0bfa\u0c7f\u0d4f\u0d79\u0e3f'
      '\u0f01-\u0f03\u0f13\u0f15-\u0f17\u0f1a-\u0f1f\u0f34\u0f36\u0f38\u0fbe-\u0fc5\u0fc7-\u0fcc\u0fce\u0fcf'
      '\u0fd5-\u0fd8\u109e\u109f\u1390-\u1399\u166d\u17db\u1940\u19de-\u19ff\u1b61-\u1b6a\u1b74-\u1b7c\u1fbd'
      '\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed-\u1fef\u1ffd\u1ffe\u2052\u207a-\u207c\u208a-\u208c\u20a0-\u20c1'
      '\u2100\u2101\u2103-\u2106\u2108\u2109\u2114\u2116-\u2118\u211e-\u2123\u2125\u2127\u2129\u212e\u213a\u213b'
      '\u2140-\u2144\u214a-\u214d\u214f\u218a\u218b\u2190-\u2307\u230c-\u2328\u232b-\u2429\u2440-\u244a\u249c-\u24e9'
      '\u2500-\u2767\u2794-\u27c4\u27c7-\u27e5\u27f0-\u2982\u2999-\u29d7\u29dc-\u29fb\u29fe-\u2b73\u2b76-\u2bff'
      '\u2ce5-\u2cea\u2e50\u2e51\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u2ff0-\u2fff\u3004\u3012\u3013\u3020\u3036'
      '\u3037\u303e\u303f\u309b\u309c\u3190\u3191\u3196-\u319f\u31c0-\u31e5\u31ef\u3200-\u321e\u322a-\u3247\u3250'
      '\u3260-\u327f\u328a-\u32b0\u32c0-\u33ff\u4dc0-\u4dff\ua490-\ua4c6\ua700-\ua716\ua720\ua721\ua789\ua78a'
      '\ua828-\ua82b\ua836-\ua839\uaa77-\uaa79\uab5b\uab6a\uab6b\ufb29\ufbb2-\ufbd2\ufd40-\ufd4f\ufd90\ufd91'
      '\ufdc8-\ufdcf\ufdfc-\ufdff\ufe62\ufe64-\ufe66\ufe69\uff04\uff0b\uff1c-\uff1e\uff3e\uff40\uff5c\uff5e'
      '\uffe0-\uffe6\uffe8-\uffee\ufffc\ufffd\U00010137-\U0001013f\U00010179-\U00010189\U0001018c-\U0001018e'
      '\U00010190-\U0001019c\U000101a0\U000101d0-\U000101fc\U00010877\U00010878\U00010ac8\U00010d8e\U00010d8f'
      '\U00010ed1-\U00010ed8\U0001173f\U00011fd5-\U00011ff1\U00016b3c-\U00016b3f\U00016b45\U0001bc9c'
      '\U0001cc00-\U0001ccef\U0001ccfa-\U0001ccfc\U0001cd00-\U0001ceb3\U0001ceba-\U0001ced0\U0001cee0-\U0001cef0'
      '\U0001cf50-\U0001cfc3\U0001d000-\U0001d0f5\U0001d100-\U0001d126\U0001d129-\U0001d164\U0001d16a-\U0001d16c'
      '\U0001d183\U0001d184\U0001d18c-\U0001d1a9\U0001d1ae-\U0001d1ea\U0001d200-\U0001d241\U0001d245'
      '\U0001d300-\U0001d356\U0001d6c1\U0001d6db\U0001d6fb\U0001d715\U0001d735\U0001d74f\U0001d76f\U0001d789'
      '\U0001d7a9\U0001d7c3\U0001d800-\U0001d9ff\U0001da37-\U0001da3a\U0001da6d-\U0001da74\U0001da76-\U0001da83'
      '\U0001da85\U0001da86\U0001e14f\U0001e2ff\U0001ecac\U0001ecb0\U0001ed2e\U0001eef0\U0001eef1'
      '\U0001f000-\U0001f02b\U0001f030-\U0001f093\U0001f0a0-\U0001f0ae\U0001f0b1-\U0001f0bf\U0001f0c1-\U0001f0cf'
      '\U0001f0d1-\U0001f0f5\U0001f10d-\U0001f1ad\U0001f1e6-\U0001f202\U0001f210-\U0001f23b\U0001f240-\U0001f248'
      '\U0001f250\U0001f251\U0001f260-\U0001f265\U0001f300-\U0001f6d8\U0001f6dc-\U0001f6ec\U0001f6f0-\U0001f6fc'
      '\U0001f700-\U0001f7d9\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f800-\U0001f80b\U0001f810-\U0001f847'
      '\U0001f850-\U0001f859\U0001f860-\U0001f887\U0001f890-\U0001f8ad\U0001f8b0-\U0001f8bb\U0001f8c0\U0001f8c1'
      '\U0001f8d0-\U0001f8d8\U0001f900-\U0001fa57\U0001fa60-\U0001fa6d\U0001fa70-\U0001fa7c\U0001fa80-\U0001fa8a'
      '\U0001fa8e-\U0001fac6\U0001fac8\U0001facd-\U0001fadc\U0001fadf-\U0001faea\U0001faef-\U0001faf8'
      '\U0001fb00-\U0001fb92\U0001fb94-\U0001fbef\U0001fbfa])', ' \1 ', 'g');
    words := normalize(lower(normalize(words, NFKC) COLLATE "und-x-icu") COLLATE "C", NFKD);
    words := normalize(regexp_replace(words, '[\u0300-\u036f\u00ad\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]', '', 'g'), NFC);
    words := translate(words, 'ðøđħıĸłŋŧƀƃƈƌƒƙƚƞƥƫƭƴƶǥςɓɖɗɠɨɫɲɵʉʋʒ', 'dodhiqlntbbcdfklnpttyzgσbddgilnouvz');
    words := replace(replace(replace(replace(words, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    -- White space and punctuation, and the letters that stand for an apostrophe.
    words := regexp_replace(words, '[\u0080-\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u02b9-\u02bf\u02c8\u037e\u0387\u055a-\u055f\u0589\u058a'
      '\u05be\u05c0\u05c3\u05c6\u05f3\u05f4\u0600-\u0605\u0609\u060a\u060c\u060d\u061b-\u061f\u066a-\u066d\u06d4'
      '\u06dd\u0700-\u070d\u070f\u07f7-\u07f9\u0830-\u083e\u085e\u0890\u0891\u08e2\u0964\u0965\u0970\u09fd\u0a76'
      '\u0af0\u0c77\u0c84\u0df4\u0e4f\u0e5a\u0e5b\u0f04-\u0f12\u0f14\u0f3a-\u0f3d\u0f85\u0fd0-\u0fd4\u0fd9\u0fda'
      '\u104a-\u104f\u10fb\u1360-\u1368\u1400\u166e\u1680\u169b\u169c\u16eb-\u16ed\u1735\u1736\u17d4-\u17d6'
      '\u17d8-\u17da\u1800-\u180a\u180e\u1944\u1945\u1a1e\u1a1f\u1aa0-\u1aa6\u1aa8-\u1aad\u1b4e\u1b4f\u1b5a-\u1b60'
      '\u1b7d-\u1b7f\u1bfc-\u1bff\u1c3b-\u1c3f\u1c7e\u1c7f\u1cc0-\u1cc7\u1cd3\u2000-\u200a\u200e-\u2051\u2053-\u205f'
      '\u2061-\u2064\u2066-\u206f\u207d\u207e\u208d\u208e\u2308-\u230b\u2329\u232a\u2768-\u2775\u27c5\u27c6'
      '\u27e6-\u27ef\u2983-\u2998\u29d8-\u29db\u29fc\u29fd\u2cf9-\u2cfc\u2cfe\u2cff\u2d70\u2e00-\u2e2e\u2e30-\u2e4f'
      '\u2e52-\u2e5d\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303d\u30a0\u30fb\ua4fe\ua4ff\ua60d-\ua60f\ua673'
      '\ua67e\ua6f2-\ua6f7\ua874-\ua877\ua8ce\ua8cf\ua8f8-\ua8fa\ua8fc\ua92e\ua92f\ua95f\ua9c1-\ua9cd\ua9de\ua9df'
      '\uaa5c-\uaa5f\uaade\uaadf\uaaf0\uaaf1\uabeb\ufd3e\ufd3f\ufe10-\ufe19\ufe30-\ufe52\ufe54-\ufe61\ufe63\ufe68'
      '\ufe6a\ufe6b\uff01-\uff03\uff05-\uff0a\uff0c-\uff0f\uff1a\uff1b\uff1f\uff20\uff3b-\uff3d\uff3f\uff5b\uff5d'
      '\uff5f-\uff65\ufff9-\ufffb\U00010100-\U00010102\U0001039f\U000103d0\U0001056f\U00010857\U0001091f\U0001093f'
      '\U00010a50-\U00010a58\U00010a7f\U00010af0-\U00010af6\U00010b39-\U00010b3f\U00010b99-\U00010b9c\U00010d6e'
      '\U00010ead\U00010ed0\U00010f55-\U00010f59\U00010f86-\U00010f89\U00011047-\U0001104d\U000110bb-\U000110c1'
      '\U000110cd\U00011140-\U00011143\U00011174\U00011175\U000111c5-\U000111c8\U000111cd\U000111db'
      '\U000111dd-\U000111df\U00011238-\U0001123d\U000112a9\U000113d4\U000113d5\U000113d7\U000113d8'
      '\U0001144b-\U0001144f\U0001145a\U0001145b\U0001145d\U000114c6\U000115c1-\U000115d7\U00011641-\U00011643'
      '\U00011660-\U0001166c\U000116b9\U0001173c-\U0001173e\U0001183b\U00011944-\U00011946\U000119e2'
      '\U00011a3f-\U00011a46\U00011a9a-\U00011a9c\U00011a9e-\U00011aa2\U00011b00-\U00011b09\U00011be1'
      '\U00011c41-\U00011c45\U00011c70\U00011c71\U00011ef7\U00011ef8\U00011f43-\U00011f4f\U00011fff'
      '\U00012470-\U00012474\U00012ff1\U00012ff2\U00013430-\U0001343f\U00016a6e\U00016a6f\U00016af5'
      '\U00016b37-\U00016b3b\U00016b44\U00016d6d-\U00016d6f\U00016e97-\U00016e9a\U00016fe2\U0001bc9f-\U0001bca3'
      '\U0001d173-\U0001d17a\U0001da87-\U0001da8b\U0001e5ff\U0001e95e\U0001e95f\U000e0001\U000e0020-\U000e007f]', ' ', 'g');
    -- Chinese and Japanese.
    words := regexp_replace(words, '([\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa'
      '\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd])', ' \1 ', 'g');
  END IF;
  words := regexp_replace(lower(words), '([$&+])', ' \1 ', 'g');
  RETURN regexp_replace(words, '[\x01-\x1f!"#%''()*,./:;<=>?@\\^_`{|}~\x7f\[\]-]', ' ', 'g');
END $$;--> statement-breakpoint
-- In their order. A word longer than 500 characters may be too long for a tsvector.
CREATE FUNCTION search_list(content text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
  words text[] := array_remove(string_to_array(search_text(content), ' '), '');
BEGIN
  IF octet_length(content) <= 500 THEN
    RETURN words;
  END IF;
  RETURN array(SELECT left(word, 500) FROM unnest(words) WITH ORDINALITY AS list (word, place) ORDER BY place);
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_words(content text) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN array_to_tsvector(search_list(content));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_words(names text[]) RETURNS tsvector
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN array_to_tsvector(search_list(array_to_string(names, E'\n')));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION search_query(words text) RETURNS tsquery
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT string_agg(DISTINCT '''' || word || '''', ' & ')::tsquery
    FROM unnest(search_list(words)) AS word WHERE word <> '&');
END $$;--> statement-breakpoint
-- The words of movies that are read otherwise now. Where only their places are gone, which nothing asks for, rows stay.
UPDATE movies SET title = title, director = director, "cast" = "cast"
WHERE strip(title_words) IS DISTINCT FROM search_words(title)
  OR strip(director_words) IS DISTINCT FROM search_words(director)
  OR strip(cast_words) IS DISTINCT FROM search_words("cast");
