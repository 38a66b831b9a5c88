import type { Command } from 'commander'
import { OperatorError, UsageError } from '../errors'
import { removeInitialMovies } from '../movies/seed-store'
import { assignMovie, deleteMovie } from '../movies/store'
import { parseId } from '../rules/fields'
import { quoted } from '../rules/suggest'
import { parseMovie } from '../search/json-store'
import { listMovies } from '../search/store'
import { addCommand, type CommandContext, counted } from './command'
import { nameOf, unlessGone, userNamed } from './users'

const PAGE_SIZE = 100

export function moviesCommand(program: Command, context: CommandContext) {
  const { withDatabase, print } = context
  const movies = addCommand(program, 'movies', {
    summary: 'List movies, remove one, or assign one to a user',
    details: "The operator's moderation: unlike the API, these work on every movie.",
    examples: ['redlight movies list --title moana', 'redlight movies assign 12 alice@example.com'],
  })
  addCommand(movies, 'list', {
    summary: 'List movies by id, a hundred a page',
    examples: ['redlight movies list', 'redlight movies list --title moana --page 2'],
  })
    .option('--title <words>', 'only those with these words in their title')
    .option('--page <n>', 'another page than the first', toPage, 1)
    .action((options: ListOptions) => list(options, context))
  addCommand(movies, 'remove', {
    summary: 'Remove a movie, or all that a fresh catalogue came with',
    examples: ['redlight movies remove 12', 'redlight movies remove --initial'],
  })
    .argument('[id]', 'as "redlight movies list" shows it', toId)
    .option('--initial', 'remove the initial movies; "redlight seed" doesn\'t bring them back')
    .action(async (id: number | undefined, { initial }: { initial?: true }) => {
      if ((id === undefined) === (initial === undefined)) throw new UsageError('give an ID or --initial')
      if (id === undefined)
        return withDatabase(async ({ db }) =>
          print(`Removed ${counted(await removeInitialMovies(db), 'initial movie')}.`),
        )
      if (!(await withDatabase(({ db }) => deleteMovie(db, id)))) throw noMovie(id)
      print(`Removed movie ${id}.`)
    })
  addCommand(movies, 'assign', {
    summary: 'Assign a movie to another user',
    examples: ['redlight movies assign 12 alice@example.com'],
  })
    .argument('<id>', 'as "redlight movies list" shows it', toId)
    .argument('<user>', 'id, email address or username')
    .action((id: number, login: string) =>
      withDatabase(async ({ db }) => {
        const user = await userNamed(db, login)
        if (!(await assignMovie(db, id, user.id).catch(unlessGone(login)))) throw noMovie(id)
        print(`Movie ${id} now belongs to ${nameOf(user)}.`)
      }),
    )
}

type ListOptions = { title?: string; page: number }

async function list({ title, page }: ListOptions, { withDatabase, print }: CommandContext) {
  const filters = { title: title === '' ? undefined : title }
  const query = { filters, sort: { key: 'id', descending: false }, page, pageSize: PAGE_SIZE } as const
  const { rows, total } = await withDatabase(({ db }) => listMovies(db, query))
  for (const { id, year, created_by, title } of rows.map(parseMovie)) print(id, year, created_by.name, title)
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE))
  if (page > pages) print(`Page ${page} doesn't exist; the last page is ${pages}.`)
  else print(counted(total, 'movie') + (pages === 1 ? '' : `; page ${page} of ${pages}`))
}

function toPage(text: string): number {
  const page = parseId(text)
  if (page === undefined) throw new UsageError(`--page takes a number from 1, not ${quoted(text)}`)
  return page
}

function toId(text: string): number {
  const id = parseId(text)
  if (id === undefined) throw new UsageError(`${quoted(text)} is not the id of a movie`)
  return id
}

const noMovie = (id: number) => new OperatorError(`there is no movie ${id}; "redlight movies list" shows all`)
