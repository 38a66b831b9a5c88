CREATE TABLE "seeded_movies" (
	"title" text PRIMARY KEY NOT NULL
);
