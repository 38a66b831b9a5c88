import type { Command } from 'commander'
import { removeInitialMovies } from '../catalogue/seed-store'
import { addCommand, type CommandContext, counted, operator } from '../cli/command'
import { OperatorError, UsageError } from '../errors'
import { giveMovie } from '../movies/service'
import { deleteMovie, findMovie } from '../movies/store'
import { parseId } from '../rules/fields'
import { quoted } from '../rules/suggest'
import { parseMovie } from '../search/json-store'
import { listMovies } from '../search/store'
import { visibleJson } from '../visible'
import { addPageOptions, metadataOf, PAGE_SIZE, type PageOptions, printTotal } from './lists'
import { nameOf, unlessGone, userNamed } from './named-users'
import { addYes, requireYes, type YesOption } from './removal'

export function moviesCommand(program: Command, context: CommandContext) {
  const { withDatabase, print } = context
  const movies = addCommand(program, 'movies', {
    summary: 'List movies, remove one, or assign one to a user',
    details: "The operator's moderation: unlike the API, these work on every movie.",
    examples: ['redlight movies list --title moana', 'redlight movies assign 12 alice@example.com'],
  })
  const listing = addCommand(movies, 'list', {
    summary: 'List movies by id, a hundred a page',
    examples: ['redlight movies list', 'redlight movies list --title moana --page 2'],
  }).option('--title <words>', 'only those with these words in their title')
  addPageOptions(listing).action((options: ListOptions) => list(options, context))
  const removal = addCommand(movies, 'remove', {
    summary: 'Remove a movie, or all that a fresh catalogue came with',
    examples: ['redlight movies remove 12', 'redlight movies remove --initial --yes'],
  })
    .argument('[id]', 'as "redlight movies list" shows it', toId)
    .option(
      '--initial',
      'remove the initial movies that nobody has changed; "redlight seed" doesn\'t bring them back',
    )
  addYes(removal).action((id: number | undefined, options: RemoveOptions) => remove(id, options, context))
  addCommand(movies, 'assign', {
    summary: 'Assign a movie to another user',
    examples: ['redlight movies assign 12 alice@example.com'],
  })
    .argument('<id>', 'as "redlight movies list" shows it', toId)
    .argument('<user>', 'id, email address or username')
    .action((id: number, login: string) =>
      withDatabase(async ({ db }) => {
        const user = await userNamed(db, login)
        const movie = await findMovie(db, id)
        if (movie === undefined) throw noMovie(id)
        const given = await giveMovie(db, operator(), movie, user.id).catch(unlessGone(login))
        if (given === undefined) throw new OperatorError(`movie ${id} was changed meanwhile: try again`)
        print(`Movie ${id}, ${movie.title} (${movie.year}), now belongs to ${nameOf(user)}.`)
      }),
    )
}

type RemoveOptions = YesOption & { initial?: true }

async function remove(id: number | undefined, { initial, yes }: RemoveOptions, context: CommandContext) {
  if ((id === undefined) === (initial === undefined)) throw new UsageError('give an ID or --initial')
  await context.withDatabase(async ({ db }) => {
    if (id === undefined) {
      await requireYes(context, yes, 'Remove the initial movies? "redlight seed" does not bring them back.')
      const { removed, kept } = await removeInitialMovies(db, operator())
      const rest =
        kept === 0 ? '' : `; kept ${kept} of the same titles, changed or added since they were loaded`
      return context.print(`Removed ${counted(removed, 'initial movie')}${rest}.`)
    }
    const movie = await findMovie(db, id)
    if (movie === undefined) throw noMovie(id)
    const what = `movie ${id}, ${movie.title} (${movie.year})`
    await requireYes(context, yes, `Remove ${what}? This can't be undone.`)
    if ((await deleteMovie(db, operator(), id)) === undefined) throw noMovie(id)
    context.print(`Removed ${what}.`)
  })
}

type ListOptions = PageOptions & { title?: string }

async function list({ title, page, json }: ListOptions, context: CommandContext) {
  const filters = { title: title === '' ? undefined : title }
  const query = { filters, sort: { key: 'id', descending: false }, page, pageSize: PAGE_SIZE } as const
  const { rows, total } = await context.withDatabase(({ db }) => listMovies(db, query))
  const movies = rows.map(parseMovie)
  if (json) return context.printText(visibleJson({ movies, metadata: metadataOf(page, total) }))
  if (movies.length > 0) {
    const table = context.table('ID', 'YEAR', 'ADDED BY', 'TITLE')
    table(movies.map(({ id, year, created_by, title }) => [id, year, created_by.name, title]))
  }
  printTotal(context, { page, total, noun: 'movie' })
}

function toId(text: string): number {
  const id = parseId(text)
  if (id === undefined) throw new UsageError(`${quoted(text)} is not the id of a movie`)
  return id
}

const noMovie = (id: number) => new OperatorError(`there is no movie ${id}; "redlight movies list" shows all`)
