import { migrationFiles } from './files' with { type: 'macro' }

/** The SQL of drizzle/, which travels inside the executable. */
export const migrations = migrationFiles()
