import type { Command } from 'commander'
import { seedMovies } from '../catalogue/seed-store'
import { migrate } from '../migrations/migrate'
import { addCommand, type CommandContext, counted } from './command'

export function seedCommand(program: Command, { withDatabase, progress, print }: CommandContext) {
  addCommand(program, 'seed', {
    summary: 'Load the initial movies, once',
    details: `Adds more than a hundred well-known movies, which belong to the built-in account
Redlight. Movies that were loaded before are not loaded again, even if they were
deleted since. The embedded database has them from its first start.`,
    examples: ['redlight seed'],
  }).action(async () => {
    const movies = await withDatabase(async ({ db }) => {
      using bar = progress('movies')
      await migrate(db)
      return await seedMovies(db, bar.reach)
    })
    print(movies === 0 ? 'There was nothing to add.' : `Added ${counted(movies, 'movie')}.`)
  })
}
