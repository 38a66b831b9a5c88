import type { Command } from 'commander'
import { migrate } from '../migrations/migrate'
import { addCommand, type CommandContext, counted } from './command'

export function migrateCommand(program: Command, { withDatabase, progress, print }: CommandContext) {
  addCommand(program, 'migrate', {
    summary: 'Bring the database to the newest schema',
    details: `Applies the migrations that the database lacks, each whole or not at all. To go
back, restore a backup. "redlight serve" does the same when it starts.`,
    examples: [
      'redlight migrate',
      'export DATABASE_URL=postgres://redlight@localhost/redlight',
      'JWT_SECRET_FILE=/etc/redlight/jwt-secret redlight migrate',
    ],
  }).action(async () => {
    const applied = await withDatabase(async ({ db }) => {
      using bar = progress('migrations')
      return await migrate(db, { onProgress: bar.reach })
    })
    print(applied === 0 ? 'The database is up to date.' : `Applied ${counted(applied, 'migration')}.`)
  })
}
