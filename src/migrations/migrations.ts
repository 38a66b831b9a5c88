import { migrationFiles } from './files' with { type: 'macro' }

/** The SQL files of drizzle/, bundled into the executable. */
export const migrations = migrationFiles()
