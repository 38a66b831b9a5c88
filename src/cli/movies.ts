import { OperatorError } from '../errors'
import { assignMovie, deleteMovie } from '../movies/store'
import { parseId } from '../rules/fields'
import { shown } from '../rules/suggest'
import { listMovies } from '../search/store'
import { type Command, options, type Subcommand, subcommandOf, UsageError, words } from './command'
import { unlessGone, userNamed } from './users'

const PAGE_SIZE = 100

export const moviesCommand: Command = {
  name: 'movies',
  summary: 'List films, remove one, or assign one to another user',
  usage: `
Usage: redlight movies list [--title WORDS] [--page N]
       redlight movies remove ID
       redlight movies assign ID USER

The operator's moderation: unlike the API, these work on every film.
USER is an id, an email address or a username.

Examples:
  redlight movies list --title moana
  redlight movies assign 12 alice@example.com`,

  async run([name, ...args], context) {
    await subcommandOf({ list, remove, assign }, name)(args, context)
  },
}

const list: Subcommand = async (args, { withDatabase, print }) => {
  const { title, page } = listOptions(args)
  await withDatabase(async ({ db }) => {
    const { rows, total } = await listMovies(db, {
      filters: { title },
      sort: { key: 'id', descending: false },
      page,
      pageSize: PAGE_SIZE,
    })
    for (const { movie } of rows) print(movie.id, movie.year, movie.createdBy.name, movie.title)
    print(`${total} films; page ${page} of ${Math.max(1, Math.ceil(total / PAGE_SIZE))}`)
  })
}

function listOptions(args: string[]): { title: string | undefined; page: number } {
  const { title, page = '1' } = options(args, ['title', 'page'])
  const number = parseId(page)
  if (number === undefined) throw new UsageError(`--page takes a number from 1, not ${shown(page)}`)
  return { title: title === '' ? undefined : title, page: number }
}

function movieId(text: string): number {
  const id = parseId(text)
  if (id === undefined)
    throw new UsageError(`${shown(text)} is not the id of a film; "redlight movies list" shows them`)
  return id
}

const noFilm = (id: number) => new OperatorError(`there is no film ${id}; "redlight movies list" shows all`)

const remove: Subcommand = async (args, { withDatabase, print }) => {
  const [text = ''] = words(args, ['ID'])
  const id = movieId(text)
  await withDatabase(async ({ db }) => {
    if (!(await deleteMovie(db, id))) throw noFilm(id)
    print(`Removed film ${id}.`)
  })
}

const assign: Subcommand = async (args, { withDatabase, print }) => {
  const [text = '', login = ''] = words(args, ['ID', 'USER'])
  const id = movieId(text)
  await withDatabase(async ({ db }) => {
    const user = await userNamed(db, login)
    const isAssigned = await assignMovie(db, id, user.id).catch(unlessGone(login))
    if (!isAssigned) throw noFilm(id)
    print(`Film ${id} belongs to user ${user.id} now.`)
  })
}
