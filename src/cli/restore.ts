import { readManifest, verifyFile } from '../backup/read'
import { restoreBackup } from '../backup/restore'
import { contents, steps } from './backup'
import { type Command, mixed, words } from './command'

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Put what a backup holds into an empty database, all or nothing',
  usage: `
Usage: redlight restore FILE [--replace] [--keep-sessions]

Reads FILE to its end first, and changes nothing unless all of it is right. No
service may run on the database. A backup of an older version is brought to the
newest schema. Then everyone has to sign in again, as a token revoked since the
backup would be good again, and links in mails sent before no longer work.

  --replace         although the database holds users or films, which are lost
  --keep-sessions   tokens stay good: for a move, if nothing changed meanwhile

Examples:
  redlight restore /var/backups/redlight.backup
  DATABASE_URL=postgres://redlight@db/new redlight restore redlight.backup`,

  async run(args, context) {
    const { flags, rest } = mixed(args, ['replace', 'keep-sessions'])
    const [path = ''] = words(rest, ['FILE'])
    const options = { replace: flags.has('replace'), keepSessions: flags.has('keep-sessions') }
    const step = steps(context)
    const manifest = await readManifest(path)
    await step('reading', manifest, (onRows) => verifyFile(path, manifest, onRows))
    await context.withDatabaseAlone(({ db }) =>
      step('restoring', manifest, (onRows) => restoreBackup(db, path, manifest, options, onRows)),
    )
    context.print(`Restored ${path}: ${contents(manifest)}.`)
  },
}
