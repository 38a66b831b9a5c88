// Imported before Elysia, which otherwise pretty-prints a refused body, up to 1 MiB, into an error that nobody sees.
Bun.env.NODE_ENV = 'production'
