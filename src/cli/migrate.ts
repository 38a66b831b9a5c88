import { migrate } from '../migrations/migrate'
import { type Command, words } from './command'

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'Bring the database to the newest schema',
  usage: `
Usage: redlight migrate

Applies the migrations that the database lacks, each whole or not at all. There
is no way down: the way back is a restored backup. "redlight serve" does the
same at its start.

Examples:
  redlight migrate
  export DATABASE_URL=postgres://redlight@localhost/redlight
  JWT_SECRET_FILE=/etc/redlight/jwt-secret redlight migrate`,

  async run(args, { withDatabase, progress, print }) {
    words(args, [])
    const applied = await withDatabase(async ({ db }) => {
      using bar = progress('migrations')
      return await migrate(db, { onProgress: bar.reach })
    })
    print(applied === 0 ? 'The database is up to date.' : `Applied ${applied} migrations.`)
  },
}
