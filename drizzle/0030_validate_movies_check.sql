ALTER TABLE "movies" VALIDATE CONSTRAINT "movies_check";
