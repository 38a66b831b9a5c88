CREATE INDEX CONCURRENTLY IF NOT EXISTS "movies_title_desc_idx" ON "movies" USING btree ("title" collate "und-x-icu" desc,"id");
