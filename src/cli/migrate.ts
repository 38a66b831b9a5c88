import type { Command } from 'commander'
import { migrate } from '../migrations/migrate'
import { setUniqueBy } from '../migrations/unique-by'
import { addCommand, type CommandContext, counted } from './command'

export function migrateCommand(program: Command, { withDatabase, progress, print }: CommandContext) {
  addCommand(program, 'migrate', {
    summary: 'Bring the database to the newest schema',
    details: `Applies the migrations that the database lacks, each whole or not at all, then
builds the index that MOVIES_UNIQUE_BY asks for. To go back, restore a backup.
"redlight serve" does the same when it starts.`,
    examples: [
      'redlight migrate',
      'export DATABASE_URL=postgres://redlight@localhost/redlight',
      'JWT_SECRET_FILE=/etc/redlight/jwt-secret redlight migrate',
    ],
  }).action(async () => {
    await withDatabase(async ({ db }, { moviesUniqueBy }) => {
      using bar = progress('migrations')
      const applied = await migrate(db, { onProgress: bar.reach })
      bar.end()
      print(applied === 0 ? 'The database is up to date.' : `Applied ${counted(applied, 'migration')}.`)
      if (await setUniqueBy(db, moviesUniqueBy)) print(`Movies are unique by ${moviesUniqueBy} now.`)
    })
  })
}
