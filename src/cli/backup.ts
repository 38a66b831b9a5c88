import { stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { checkBackup } from '../backup/check'
import type { Manifest } from '../backup/manifest'
import { readManifest, verifyFile } from '../backup/read'
import { newName, removeOld } from '../backup/rotation'
import { type OnRows, takeBackup } from '../backup/write'
import { OperatorError, UsageError } from '../errors'
import { quoted } from '../rules/suggest'
import { version } from '../server/version'
import type { Progress } from '../terminal/progress'
import { addCommand, type CommandContext, counted } from './command'

type BackupOptions = { check?: boolean; verify?: boolean; keep?: number; force?: boolean }

export function backupCommand(program: Command, context: CommandContext) {
  addCommand(program, 'backup', {
    summary: 'Write everything in the database to a file',
    details: `All users, movies, favourites, API keys and queued mails as of one moment, from
either database, for "redlight restore" into either. Passwords and keys are in it
as hashes; the settings, such as JWT_SECRET, are not: keep those elsewhere.`,
    examples: [
      'redlight backup /var/backups/redlight.backup',
      'redlight backup --verify --keep 14 /var/backups/redlight',
      'redlight backup --check /var/backups/redlight.backup',
    ],
  })
    .argument('<file>', 'the file to write; with --keep, the folder to write it into')
    .option('--verify', 'first restore it into a temporary database, and compare all rows')
    .option('--keep <n>', 'call it redlight-<time>.backup, and keep the newest n of these', toKeep)
    .option('--force', 'overwrite a file that exists')
    .addOption(new Option('--check', 'verify a file that exists').conflicts(['verify', 'keep', 'force']))
    .action((path: string, options: BackupOptions) =>
      options.check ? checkFile(path, context) : writeFile(path, options, context),
    )
}

function toKeep(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new UsageError(`--keep takes a number from 1 to 99999, not ${quoted(text)}`)
  return Number(text)
}

async function writeFile(path: string, { verify, keep, force }: BackupOptions, context: CommandContext) {
  if (keep === undefined && !force) await requireFree(path)
  const file = keep === undefined ? path : await newName(path)
  const step = steps(context)
  const check = (written: string, manifest: Manifest) => checkWith(step, written, manifest, context)
  const job = { path: file, redlight: version, check: verify ? check : undefined }
  const manifest = await context.withDatabase(({ db }, { database: { kind } }) =>
    step('writing', undefined, (onRows) => takeBackup({ ...job, db, kind, onRows })),
  )
  context.print(`Wrote ${file}: ${contents(manifest)}${verify ? '; verified' : ''}.`)
  if (keep === undefined) return
  for (const old of await removeOld(path, keep)) context.print(`Removed ${old}.`)
}

async function requireFree(path: string) {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile())
    throw new OperatorError(`${path} exists already: name another file, or overwrite it with --force`)
}

async function checkFile(path: string, context: CommandContext) {
  const step = steps(context)
  const manifest = await readManifest(path)
  await step('reading', rowsOf(manifest), (onRows) => verifyFile(path, manifest, onRows))
  await checkWith(step, path, manifest, context)
  context.print(`${path} is intact: ${contents(manifest)}, ${origin(manifest)}; verified.`)
}

/** Restores every row, and reads it back. */
const checkWith = (step: Step, path: string, manifest: Manifest, { createLog }: CommandContext) =>
  step('verifying', 2 * rowsOf(manifest), (onRows) =>
    checkBackup(path, manifest, createLog({ logLevel: 'error' }), onRows),
  )

export const rowsOf = ({ tables }: Manifest) => tables.reduce((sum, { rows }) => sum + rows, 0)

type Step = ReturnType<typeof steps>

/** Runs steps, each with a progress bar; a signal stops the work between two rows. */
export function steps({ untilSignal, progress }: Pick<CommandContext, 'untilSignal' | 'progress'>) {
  let signal: string | undefined
  let last: Progress | undefined
  untilSignal().then((name) => {
    signal = name
  })
  return async <T>(label: string, total: number | undefined, work: (onRows: OnRows) => Promise<T>) => {
    last?.end()
    using bar = progress(label, total)
    last = bar
    return await work((rows) => {
      if (signal !== undefined) throw new OperatorError(`stopped by ${signal}; nothing was changed`)
      bar.advance(rows)
    })
  }
}

/** The counts that people care about. */
export function contents({ tables }: Manifest): string {
  const counts = ['user', 'movie', 'favourite'].map((noun) =>
    counted(tables.find(({ name }) => name === `${noun}s`)?.rows ?? 0, noun),
  )
  return counts.join(', ')
}

export const origin = ({ taken_at: takenAt, redlight }: Manifest) => `as of ${takenAt} (Redlight ${redlight})`
