import { type Command, Option } from 'commander'
import { keepInitialMoviesOut } from '../catalogue/seed-store'
import { BUILT_IN_USER_ID } from '../db/schema'
import { UsageError } from '../errors'
import { userNamed } from '../moderation/named-users'
import { openSource } from '../transfer/open'
import { type ImportOptions, importOptions } from '../transfer/options'
import { type End, present } from '../transfer/present'
import { createReport, type Report } from '../transfer/report'
import { prepareDatabase, runImport } from '../transfer/run'
import { addCommand, type CommandContext, Exit, exitOf, oneOf, operator, reasonsOf } from './command'

export function importCommand(program: Command, context: CommandContext) {
  const command = addCommand(program, 'import', {
    summary: 'Import movies from a file',
    details: `Reads CSV, JSON and the files of IMDb, MovieLens, TMDB, Letterboxd, Netflix,
omdb.org, Radarr, Trakt and Jellyfin, gzipped or not; docs/IMPORT.md shows each.
Rows follow the rules of the API, but may lack runtime and genres. The same
command goes on after an interruption, as it skips movies that exist.`,
    examples: [
      'redlight import WATCHLIST.csv --dry-run',
      'redlight import movies.csv --extra-genres cut --reject-file rejected.ndjson',
      'redlight import - --map name=title --owner alice@example.com < movies.json',
    ],
  }).argument('<file>', 'the file, or - for standard input')
  for (const { flags, about, parse, choices } of importOptions) {
    const option = new Option(flags, about)
    if (parse !== undefined) option.argParser(parse)
    if (choices !== undefined) option.choices(choices).argParser(oneOf(choices)).default(choices[0])
    command.addOption(option)
  }
  command.action(async (path: string, options: ImportOptions) => {
    const report = createReport()
    const tell = (end?: End) => present(report, options, context, end)
    const signal = await importFile(path, options, report, context).catch((error) => {
      if (error instanceof UsageError) throw error
      tell({ problem: reasonsOf(error).join('; ') })
      throw new Exit(1)
    })
    tell(signal === undefined ? undefined : { signal })
    if (signal !== undefined) throw exitOf(signal)
    if (report.counts.rejected > 0) throw new Exit(1)
  })
}

/** Before a database is created, which an owner who isn't there would leave behind. */
async function requireOwner({ owner, dryRun }: ImportOptions, context: CommandContext) {
  const { database: config } = context.readConfig()
  if (owner === undefined || dryRun || config.kind !== 'embedded') return
  const { isFirstStart } = await import('../embedded/folder')
  if (!isFirstStart(config.dataDir)) return
  await context.withDatabaseToTry(async ({ db }, { database: { kind }, moviesUniqueBy: uniqueBy }) => {
    await prepareDatabase({ db, kind, uniqueBy }, { dryRun: true })
    await userNamed(db, owner)
  })
}

async function importFile(path: string, options: ImportOptions, report: Report, context: CommandContext) {
  const source = await openSource(path, context.input, { map: new Map(), ...options })
  const { unusedColumns } = source
  if (unusedColumns.length > 0)
    context.printError(`redlight import: not used: ${unusedColumns.join(', ')} (--map says what one holds)`)
  try {
    await requireOwner(options, context)
    const withDatabase = options.dryRun ? context.withDatabaseToTry : context.withDatabase
    return await withDatabase(async ({ db }, { database: { kind }, moviesUniqueBy: uniqueBy }) => {
      await prepareDatabase({ db, kind, uniqueBy }, options)
      const owner = options.owner === undefined ? undefined : await userNamed(db, options.owner)
      if (!options.dryRun) await keepInitialMoviesOut(db)
      const target = { db, kind, uniqueBy, ownerId: owner?.id ?? BUILT_IN_USER_ID }
      using bar = context.progress('rows')
      const stopped = context.untilSignal()
      return await runImport({ source, target, options, report, stopped, bar, author: operator() })
    })
  } finally {
    // Not awaited: after a signal, a read may still be waiting for its input.
    source.close().catch(() => {})
  }
}
