-- Words of new films wait in a list, which every search reads to its end, until the writer who fills it sorts it in: by
-- itself that is 4 MB of them, a tenth of a second for whoever it meets.
ALTER INDEX "movies_search_idx" SET (gin_pending_list_limit = 256);
