import type { Command } from 'commander'
import { readManifest, verifyFile } from '../backup/read'
import { restoreBackup } from '../backup/restore'
import { contents, origin, rowsOf, steps } from './backup'
import { addCommand, type CommandContext, counted, operator } from './command'

type RestoreOptions = { replace?: boolean; keepSessions?: boolean }

export function restoreCommand(program: Command, context: CommandContext) {
  addCommand(program, 'restore', {
    summary: 'Restore a backup into an empty database',
    details: `Checks the whole file first, and restores all of it or nothing. Stop the service
first. A backup of an older version is brought to the newest schema. Afterwards
everyone has to sign in again and make new API keys, since a token or key revoked
after the backup would be valid again, and links in mails sent before no longer
work.`,
    examples: [
      'redlight restore /var/backups/redlight.backup',
      'DATABASE_URL=postgres://redlight@db/new redlight restore redlight.backup',
    ],
  })
    .argument('<file>', 'a file that "redlight backup" wrote')
    .option('--replace', 'even if the database holds users or movies, which are lost')
    .option('--keep-sessions', 'keep tokens and API keys valid: for a move, if nothing changed since')
    .action(async (path: string, { replace = false, keepSessions = false }: RestoreOptions) => {
      const step = steps(context)
      const manifest = await readManifest(path)
      const rows = rowsOf(manifest)
      await step('reading', rows, (onRows) => verifyFile(path, manifest, onRows))
      const dropped = await context.withDatabaseAlone(({ db }) =>
        step('restoring', rows, (onRows) =>
          restoreBackup(db, path, manifest, { replace, keepSessions, author: operator() }, onRows),
        ),
      )
      context.print(`Restored ${path}: ${contents(manifest)}, ${origin(manifest)}.`)
      if (dropped > 0)
        context.print(`Dropped ${counted(dropped, 'API key')}: their owners have to make new ones.`)
    })
}
