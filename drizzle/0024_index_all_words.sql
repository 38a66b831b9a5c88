CREATE INDEX CONCURRENTLY IF NOT EXISTS "movies_words_idx" ON "movies" USING gin ((title_words || coalesce(director_words, ''::tsvector) || coalesce(cast_words, ''::tsvector))) WITH (gin_pending_list_limit=256);--> statement-breakpoint
CREATE INDEX CONCURRENTLY IF NOT EXISTS "movies_letters_idx" ON "movies" USING btree (search_letters("title") collate "C");
