// A macro: runs while bundling (and at import under `bun run`), so that the SQL travels inside the executable.
import { readMigrationFiles } from 'drizzle-orm/migrator' with { type: 'macro' }

export const migrations = readMigrationFiles({ migrationsFolder: './drizzle' })
