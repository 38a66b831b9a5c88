-- Those of the movies that were there before the triggers.
INSERT INTO known_words (word)
SELECT DISTINCT new_word FROM movies, unnest(tsvector_to_array(title_words)) AS new_word
WHERE char_length(new_word) BETWEEN 2 AND 30 AND NOT EXISTS (SELECT FROM known_words WHERE known_words.word = new_word);
