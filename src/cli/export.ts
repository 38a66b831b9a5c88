import type { Command } from 'commander'
import { OperatorError } from '../errors'
import { appliedMigrations } from '../migrations/migrate'
import { userNamed } from '../moderation/named-users'
import { type ExportFormat, exportFormats, exportMovies } from '../transfer/export'
import { fileSink, streamSink } from '../transfer/sink'
import { addCommand, type CommandContext, counted, exitOf, oneOf } from './command'

type ExportOptions = { format: ExportFormat; owner?: string; output?: string }

export function exportCommand(program: Command, context: CommandContext) {
  addCommand(program, 'export', {
    summary: 'Export movies as JSON lines or CSV',
    details: `All movies as of one moment, in the order of their ids, for "redlight import" or
another program. Users and favourites are not in it: "redlight backup" has everything.`,
    examples: ['redlight export > movies.ndjson', 'redlight export --format csv --output movies.csv'],
  })
    .option('--format <name>', 'ndjson or csv', oneOf(exportFormats), 'ndjson')
    .option('--owner <user>', 'only the movies of this user: id, email address or username')
    .option('--output <file>', 'write to this file, which is replaced when the export is complete')
    .action((options: ExportOptions) => exportFile(options, context))
}

async function exportFile({ format, owner, output }: ExportOptions, context: CommandContext) {
  await using sink = output === undefined ? streamSink(context.output) : await fileSink(output)
  let movies = 0
  const signal = await context.withDatabaseToTry(async ({ db }, { database: { kind } }) => {
    if ((await appliedMigrations(db)).length === 0)
      throw new OperatorError('there is no catalogue yet: "redlight serve" or "redlight migrate" makes one')
    const ownerId = owner === undefined ? undefined : (await userNamed(db, owner)).id
    using bar = output === undefined ? undefined : context.progress('movies')
    const onMovies = (more: number) => {
      movies += more
      bar?.advance(more)
    }
    return await exportMovies({ db, kind, ownerId, format, sink, stopped: context.untilSignal(), onMovies })
  })
  if (signal !== undefined) throw exitOf(signal)
  if (output !== undefined) context.print(`Wrote ${output}: ${counted(movies, 'movie')}.`)
}
