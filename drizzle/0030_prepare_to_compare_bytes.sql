CREATE INDEX CONCURRENTLY IF NOT EXISTS "known_words_word_bytes_idx" ON "known_words" USING btree ("word" collate "C");--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "known_words_forms_bytes_idx" ON "known_words" USING gin (search_forms("word") collate "C") WITH (fastupdate=false);--> statement-breakpoint
ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_check";
