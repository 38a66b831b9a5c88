import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** To be imported as a macro: it reads the files while bundling, whatever folder that is done in. */
export const migrationFiles = () =>
  readMigrationFiles({ migrationsFolder: join(import.meta.dir, '../../drizzle') })
