import { stat } from 'node:fs/promises'
import { checkBackup } from '../backup/check'
import type { Manifest } from '../backup/manifest'
import { readManifest, verifyFile } from '../backup/read'
import { newName, removeOld } from '../backup/rotation'
import { type OnRows, takeBackup } from '../backup/write'
import { OperatorError } from '../errors'
import { shown } from '../rules/suggest'
import { version } from '../server/version'
import { type Command, type CommandContext, mixed, UsageError, words } from './command'

export const backupCommand: Command = {
  name: 'backup',
  summary: 'Write all that the database holds to a file',
  usage: `
Usage: redlight backup FILE [--verify]
       redlight backup --keep N FOLDER [--verify]
       redlight backup --check FILE

All films, users, favourites and mails of one moment, from either database, for
"redlight restore" into either. Passwords are in it as hashes; the settings,
such as JWT_SECRET, are not: keep those elsewhere.

  --verify   before the file gets its name, restore it into a temporary database
             and compare every row
  --keep N   write redlight-<time>.backup into FOLDER, keep the newest N there
  --check    do what --verify does to a file that is there

Examples:
  redlight backup /var/backups/redlight.backup
  redlight backup --verify --keep 14 /var/backups/redlight`,

  async run(args, context) {
    const { check, verify, keep, path } = optionsIn(args)
    if (check) return checkFile(path, context)
    const file = keep === undefined ? path : await newName(path)
    const step = steps(context)
    const manifest = await context.withDatabase(({ db }, { database: { kind } }) => {
      const check = (written: string, manifest: Manifest) => checkWith(step, written, manifest, context)
      return step('writing', undefined, (onRows) =>
        takeBackup({ db, kind, path: file, redlight: version, onRows, check: verify ? check : undefined }),
      )
    })
    const { size } = await stat(file)
    context.print(
      `Wrote ${file}: ${contents(manifest)}; ${size} bytes${verify ? ', restored and compared' : ''}.`,
    )
    if (keep === undefined) return
    for (const old of await removeOld(path, keep)) context.print(`Removed ${old}.`)
  },
}

function optionsIn(args: string[]) {
  const { flags, values, rest } = mixed(args, ['check', 'verify'], ['keep'])
  const { keep } = values
  const [check, verify] = [flags.has('check'), flags.has('verify')]
  if (check && (verify || keep !== undefined)) throw new UsageError('--check goes with a FILE alone')
  const [path = ''] = words(rest, [keep === undefined ? 'FILE' : 'FOLDER'])
  if (keep !== undefined && !/^[1-9]\d{0,4}$/.test(keep))
    throw new UsageError(`--keep takes a number from 1 to 99999, not ${shown(keep)}`)
  return { check, verify, keep: keep === undefined ? undefined : Number(keep), path }
}

async function checkFile(path: string, context: CommandContext) {
  const step = steps(context)
  const manifest = await readManifest(path)
  await step('reading', manifest, (onRows) => verifyFile(path, manifest, onRows))
  await checkWith(step, path, manifest, context)
  context.print(`${path} is whole: ${contents(manifest)}; restored and compared.`)
}

const checkWith = (step: Step, path: string, manifest: Manifest, { createLog }: CommandContext) =>
  step('checking', manifest, (onRows) =>
    checkBackup(path, manifest, createLog({ logLevel: 'error' }), onRows),
  )

type Step = ReturnType<typeof steps>

/** Runs work with a bar; between two of its rows it ends if a signal asked for that, and tidies up after itself. */
export function steps({ untilSignal, progress }: Pick<CommandContext, 'untilSignal' | 'progress'>) {
  let signal: string | undefined
  untilSignal().then((name) => {
    signal = name
  })
  return async <T>(label: string, manifest: Manifest | undefined, work: (onRows: OnRows) => Promise<T>) => {
    using bar = progress(
      label,
      manifest?.tables.reduce((sum, { rows }) => sum + rows, 0),
    )
    return await work((rows) => {
      if (signal !== undefined) throw new OperatorError(`stopped by ${signal}; nothing was changed`)
      bar.advance(rows)
    })
  }
}

export function contents({ tables, taken_at: takenAt, redlight }: Manifest): string {
  const counts = tables.map(({ name, rows }) => `${rows} ${name.replaceAll('_', ' ')}`)
  return `${counts.join(', ')}, as of ${takenAt} (Redlight ${redlight})`
}
