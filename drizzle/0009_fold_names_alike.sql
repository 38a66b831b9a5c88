-- What \s is follows the locale too: an ICU one adds U+001C to U+001F and U+0085. Such titles alone get new keys, by being
-- another title for a moment: an update of a title to itself would leave the index as it is.
LOCK TABLE "movies" IN SHARE ROW EXCLUSIVE MODE;--> statement-breakpoint
CREATE OR REPLACE FUNCTION title_key(title text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN normalize(
    lower(upper(normalize(regexp_replace(title COLLATE "C", '[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+', ' ', 'g'), NFC) COLLATE "und-x-icu") COLLATE "und-x-icu"),
    NFC);--> statement-breakpoint
-- Sessions keep the function's old body with the index, until something changes about that.
ALTER INDEX "movies_title_key" RENAME TO "movies_title_key_renamed";--> statement-breakpoint
ALTER INDEX "movies_title_key_renamed" RENAME TO "movies_title_key";--> statement-breakpoint
DO $$
DECLARE movie record;
BEGIN
  FOR movie IN SELECT id, title FROM movies WHERE title ~ '[\u001c-\u001f\u0085]' LOOP
    UPDATE movies SET title = gen_random_uuid()::text WHERE id = movie.id;
    UPDATE movies SET title = movie.title WHERE id = movie.id;
  END LOOP;
END $$;--> statement-breakpoint
-- The dictionary "simple" folds by the locale what unaccent leaves in capitals, such as the I of ℐ.
CREATE OR REPLACE FUNCTION search_text(content text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN translate(
    lower(unaccent('unaccent'::regdictionary, lower(normalize(content, NFC) COLLATE "und-x-icu")) COLLATE "C"),
    '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32));
END $$;--> statement-breakpoint
-- lower() follows the database's locale: in a Turkish one it makes ı of I, and the user is not found again. The collation
-- "C" folds ASCII alone, in every database alike, and other letters stand in no address and no username.
-- Last, as reads wait for it, and locked at once: a share lock that grows might deadlock with a sign-in. The build takes
-- about a second for a million users.
LOCK TABLE "users" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
DO $$
DECLARE twins text;
BEGIN
  SELECT string_agg(format('users %s have the same %s apart from case', ids, what), ', ' ORDER BY first_id) INTO twins FROM (
    (SELECT 'email address' AS what, min(id) AS first_id, string_agg(id::text, ' and ' ORDER BY id) AS ids
      FROM users GROUP BY lower(email COLLATE "C") HAVING count(email) > 1 ORDER BY 2 LIMIT 10)
    UNION ALL
    (SELECT 'username', min(id), string_agg(id::text, ' and ' ORDER BY id)
      FROM users GROUP BY lower(username COLLATE "C") HAVING count(username) > 1 ORDER BY 2 LIMIT 10)) AS found;
  IF twins IS NOT NULL THEN
    RAISE EXCEPTION '%: the locale of this database let that pass, and it can''t stay. Change one of each in the table users, or run "redlight users remove ID"; nothing has been changed yet', twins;
  END IF;
END $$;--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_folded" ON "users" USING btree (lower("email" collate "C"));--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_folded" ON "users" USING btree (lower("username" collate "C"));--> statement-breakpoint
DROP INDEX "users_email_key";--> statement-breakpoint
DROP INDEX "users_username_key";--> statement-breakpoint
-- The names that the version before knows a taken address and a taken username by.
ALTER INDEX "users_email_folded" RENAME TO "users_email_key";--> statement-breakpoint
ALTER INDEX "users_username_folded" RENAME TO "users_username_key";
