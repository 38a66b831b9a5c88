import { migrate } from '../migrations/migrate'
import { seedMovies } from '../movies/seed-store'
import { type Command, words } from './command'

export const seed: Command = {
  name: 'seed',
  summary: 'Load the initial films, once',
  usage: `
Usage: redlight seed

Adds more than a hundred well-known films, which belong to the built-in account
Redlight. Films that were loaded before are not loaded again, even when they
were deleted since. The embedded database has them from its first start.

Example:
  redlight seed`,

  async run(args, { withDatabase, progress, print }) {
    words(args, [])
    const films = await withDatabase(async ({ db }) => {
      using bar = progress('films')
      await migrate(db)
      return await seedMovies(db, bar.reach)
    })
    print(films === 0 ? 'There was nothing to add.' : `Added ${films} films.`)
  },
}
