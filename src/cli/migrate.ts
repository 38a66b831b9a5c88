import { migrate } from '../db/migrate'
import { type Command, words } from './command'

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'Bring the database to the newest schema',
  usage: `
Usage: redlight migrate

Applies the migrations that the database lacks, all or none. There is no way down: the way back is a restored backup.
"redlight serve" does the same at its start.

Example:
  DATABASE_URL=postgres://redlight@localhost/redlight JWT_SECRET_FILE=/etc/redlight/jwt-secret redlight migrate`,

  async run(args, { withDatabase, print }) {
    words(args, [])
    const applied = await withDatabase(({ db }) => migrate(db))
    print(applied === 0 ? 'The database is up to date.' : `Applied ${applied} migrations.`)
  },
}
