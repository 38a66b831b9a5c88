import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** Import as a macro: it reads the files while bundling, whatever the current folder is. */
export const migrationFiles = () =>
  readMigrationFiles({ migrationsFolder: join(import.meta.dir, '../../drizzle') })
